// swift-tools-version: 6.3
import PackageDescription

/// One set of settings for every target: Swift 6, strict memory safety, every warning an error.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
  .enableExperimentalFeature("Lifetimes"),
]

func library(_ name: String, uses: [String], path: String? = nil) -> Target {
  .target(
    name: name, dependencies: uses.map { .byName(name: $0) }, path: path, swiftSettings: settings)
}

/// A library that is optimised in debug builds too: unoptimised, its loops take most of the tests' time.
func optimised(_ name: String, uses: [String], path: String? = nil) -> Target {
  .target(
    name: name, dependencies: uses.map { .byName(name: $0) }, path: path,
    swiftSettings: settings + [.unsafeFlags(["-O"], .when(configuration: .debug))])
}

func tests(_ name: String, of uses: [String]) -> Target {
  .testTarget(
    name: name, dependencies: uses.map { .byName(name: $0) }, swiftSettings: settings)
}

func tool(_ name: String, uses: [String]) -> Target {
  .executableTarget(
    name: name, dependencies: uses.map { .byName(name: $0) }, swiftSettings: settings)
}

/// `NNJOBS_BENCHMARKS=1 swift build -c release --product bench` or `strategybench`; only then, so that nobody builds it for nothing.
let benchmarks: [Target] =
  Context.environment["NNJOBS_BENCHMARKS"] == nil
  ? []
  : [
    .executableTarget(
      name: "bench", dependencies: ["Formats", "Jacobians", "Processing"],
      path: "Benchmarks/Engine", swiftSettings: settings),
    .executableTarget(
      name: "strategybench", dependencies: ["Jacobians"], path: "Benchmarks/Strategies",
      swiftSettings: settings),
  ]

/// `make fuzz`: the driver that libFuzzer calls; it only links with `--sanitize=fuzzer --sanitize=address`.
let fuzzers: [Target] =
  Context.environment["NNJOBS_FUZZ"] == nil
  ? []
  : [
    .target(name: "AllocationMeter", path: "Tests/Fuzz/AllocationMeter"),
    .executableTarget(
      name: "fuzz", dependencies: ["FuzzedParsers", "AllocationMeter"], path: "Tests/Fuzz/Driver",
      swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]),
  ]

let package = Package(
  name: "nnjobs",
  products: [
    .executable(name: "nnjobs", targets: ["nnjobs"]),
    .executable(name: "nnjobsd", targets: ["nnjobsd"]),
  ],
  targets: [
    .systemLibrary(
      name: "COpenBLAS", providers: [.apt(["libopenblas-dev", "libopenblas0-pthread"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CNettle", pkgConfig: "nettle", providers: [.apt(["nettle-dev"])]),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(name: "CACL", pkgConfig: "libacl", providers: [.apt(["libacl1-dev"])]),
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "CVector"),

    optimised("Jacobians", uses: ["COpenBLAS", "CVector"]),
    library("Formats", uses: ["Jacobians", "CZip", "CACL", "CLinux"]),
    library("Store", uses: ["CSQLite"]),
    library("Processing", uses: ["Jacobians", "Formats", "Store", "CNettle", "CXXHash", "CLinux"]),
    library("CommandLineOptions", uses: ["Formats", "CLinux"]),
    tool("nnjobsd", uses: ["CommandLineOptions", "Processing", "Store", "Formats", "CLinux"]),
    tool(
      "nnjobs", uses: ["CommandLineOptions", "Processing", "Store", "Formats", "CLinux", "CPNG"]),

    optimised("TestSupport", uses: ["Jacobians", "Formats"], path: "Tests/TestSupport"),
    library("FuzzedParsers", uses: ["Formats", "Processing"], path: "Tests/Fuzz/Parsers"),
    tests("FuzzTests", of: ["FuzzedParsers"]),
    tests("JacobiansTests", of: ["Jacobians", "Formats", "TestSupport"]),
    tests("FormatsTests", of: ["Formats", "Jacobians"]),
    tests("StoreTests", of: ["Store"]),
    tests("ProcessingTests", of: ["Processing", "Store", "Formats", "Jacobians", "TestSupport"]),
    tests(
      "EndToEndTests",
      of: ["CommandLineOptions", "nnjobs", "nnjobsd", "Store", "Formats", "TestSupport", "CPNG"]),
  ] + benchmarks + fuzzers
)
