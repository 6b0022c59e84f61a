private import COpenBLAS
import Glibc

/// OpenBLAS, loaded at first use; the only file that calls it.
///
/// It is opened by `dlopen` rather than linked, so that programs which compute nothing never load it, and
/// so that its two settings, read from the environment while it starts, can be made before:
///
/// - `OPENBLAS_NUM_THREADS=1`: the engine's own threads work on blocks; a product has one thread.
/// - `OPENBLAS_CORETYPE=Haswell`, unless the environment says otherwise, on a processor with AVX2 and FMA;
///   whoever has calibrated the machine sets another before (`KernelChoice`). With the Haswell kernels a row of
///   a float64 product has the same bits wherever it stands, as long as row counts are even (measured); see
///   `Stages` for float32. SkylakeX kernels do not keep to that: they treat small products apart, so with
///   them a sample's bits may depend on the block's size, though never on the number of threads.
///
/// Concurrent calls are safe in the pthread build only, even with one thread each: the sequential build
/// hands out its buffers without a lock, and the OpenMP build does not promise foreign threads anything.
@safe package struct BLAS: @unchecked Sendable {
  // Sendable: the functions are reentrant in the build that `init` insists on, the rest never changes.
  private let dgemm: nnjobs_dgemm
  private let sgemm: nnjobs_sgemm
  private let dgemv: nnjobs_dgemv
  private let sgemv: nnjobs_sgemv
  private let dsyrk: nnjobs_dsyrk
  private let ssyrk: nnjobs_ssyrk
  private let dsyevd: nnjobs_dsyevd
  private let ssyevd: nnjobs_ssyevd

  /// The name of the kernels it chose, as `Haswell`.
  package let kernel: String
  /// The library's name and version, as `OpenBLAS 0.3.21`.
  package let version: String
  /// The file it was loaded from, as the loader found it: the name may be a link.
  package let path: String

  /// The environment's variable that names the kernels, read while the library starts.
  package static let kernelVariable = "OPENBLAS_CORETYPE"
  /// The kernels that are used where nothing says otherwise and the processor can.
  package static let usualKernel = "Haswell"

  private static let shared = Result { () throws(BLASError) in
    try BLAS(loading: "libopenblas.so.0")
  }

  /// The library, loaded and set up by the first call.
  package static func loaded() throws(BLASError) -> BLAS { try shared.get() }

  /// Loads the library of that name and checks that it is one the engine can use.
  package init(loading library: String) throws(BLASError) {
    // setenv(3) is not safe beside a getenv in another thread; this runs once, before any block.
    unsafe setenv("OPENBLAS_NUM_THREADS", "1", 1)
    let named = unsafe getenv(BLAS.kernelVariable).map { unsafe $0.pointee != 0 } ?? false
    if !named, nnjobs_has_haswell_instructions() != 0 {
      unsafe setenv(BLAS.kernelVariable, BLAS.usualKernel, 1)
    }
    guard let handle = unsafe dlopen(library, RTLD_LOCAL | RTLD_NOW) else {
      let reason = unsafe dlerror().map { unsafe String(cString: $0) } ?? "no reason given"
      throw BLASError(
        library: library, reason: reason, remedy: "install it: apt-get install libopenblas0-pthread"
      )
    }
    func function<F>(_ name: String, as type: F.Type) throws(BLASError) -> F {
      guard let symbol = unsafe dlsym(handle, name) else {
        throw BLASError(
          library: library, reason: "it has no function \(name)",
          remedy: "install OpenBLAS itself: apt-get install libopenblas0-pthread")
      }
      // A symbol's address has the representation of the C function pointer declared under its name.
      return unsafe unsafeBitCast(symbol, to: F.self)
    }
    unsafe dgemm = try function("cblas_dgemm", as: nnjobs_dgemm.self)
    unsafe sgemm = try function("cblas_sgemm", as: nnjobs_sgemm.self)
    unsafe dgemv = try function("cblas_dgemv", as: nnjobs_dgemv.self)
    unsafe sgemv = try function("cblas_sgemv", as: nnjobs_sgemv.self)
    unsafe dsyrk = try function("cblas_dsyrk", as: nnjobs_dsyrk.self)
    unsafe ssyrk = try function("cblas_ssyrk", as: nnjobs_ssyrk.self)
    unsafe dsyevd = try function("dsyevd_", as: nnjobs_dsyevd.self)
    unsafe ssyevd = try function("ssyevd_", as: nnjobs_ssyevd.self)
    let parallel = try function(
      "openblas_get_parallel", as: nnjobs_openblas_get_parallel.self)
    guard parallel() == 1 else {
      throw BLASError(
        library: library, reason: "this build is not safe for concurrent callers",
        remedy:
          "install the pthread build: apt-get install libopenblas0-pthread, and choose it with "
          + "update-alternatives --config libopenblas.so.0-x86_64-linux-gnu")
    }
    let setThreads = try function(
      "openblas_set_num_threads", as: nnjobs_openblas_set_num_threads.self)
    setThreads(1)
    let coreName = unsafe try function(
      "openblas_get_corename", as: nnjobs_openblas_get_corename.self)
    kernel = unsafe coreName().map { unsafe String(cString: $0) } ?? "unknown"
    let configuration = unsafe try function(
      "openblas_get_config", as: nnjobs_openblas_get_config.self)
    let words = unsafe configuration().map { unsafe String(cString: $0) }?.split(separator: " ")
    version = (words ?? []).prefix(2).joined(separator: " ")
    path = unsafe nnjobs_path_of_library(handle).map { unsafe String(cString: $0) } ?? library
  }

  /// C ← α A B + β C, where C is the (A.rows × B.columns) matrix at the start of `c`, row by row.
  ///
  /// With β = 0 what C held is not read, so it may be anything. A vanishing α, or A without columns, scales C only.
  /// C's rows are `stride` apart, or touch.
  package func multiply<T: Scalar>(
    _ a: Matrix<T>, _ b: Matrix<T>, scale alpha: T = 1, adding beta: T = 0,
    into c: inout MutableSpan<T>, stride: Int? = nil
  ) {
    let stride = stride ?? b.columns
    precondition(a.columns == b.rows, "A has as many columns as B has rows")
    precondition(
      stride >= b.columns && stride <= Int(Int32.max), "rows do not overlap, BLAS counts in 32 bits"
    )
    guard a.rows > 0, b.columns > 0 else { return }
    precondition(
      c.count >= (a.rows - 1) * stride + b.columns, "C holds (A.rows × B.columns) numbers")
    let m = Int32(a.rows)
    let n = Int32(b.columns)
    let k = Int32(a.columns)
    let strideC = Int32(stride)
    let flipA = a.isTransposed ? CblasTrans : CblasNoTrans
    let flipB = b.isTransposed ? CblasTrans : CblasNoTrans
    // The extents of A, B and C were checked where they were made and above: BLAS stays inside them.
    unsafe a.numbers.withUnsafeBufferPointer { aNumbers in
      unsafe b.numbers.withUnsafeBufferPointer { bNumbers in
        unsafe c.withUnsafeMutableBufferPointer { cNumbers in
          let a0 = unsafe UnsafeRawPointer(aNumbers.baseAddress)
          let b0 = unsafe UnsafeRawPointer(bNumbers.baseAddress)
          let c0 = UnsafeMutableRawPointer(cNumbers.baseAddress)
          if let alpha = alpha as? Double, let beta = beta as? Double {
            unsafe dgemm(
              CblasRowMajor, flipA, flipB, m, n, k, alpha,
              a0?.assumingMemoryBound(to: Double.self), Int32(a.stride),
              b0?.assumingMemoryBound(to: Double.self), Int32(b.stride), beta,
              c0?.assumingMemoryBound(to: Double.self), strideC)
          } else if let alpha = alpha as? Float, let beta = beta as? Float {
            unsafe sgemm(
              CblasRowMajor, flipA, flipB, m, n, k, alpha,
              a0?.assumingMemoryBound(to: Float.self), Int32(a.stride),
              b0?.assumingMemoryBound(to: Float.self), Int32(b.stride), beta,
              c0?.assumingMemoryBound(to: Float.self), strideC)
          } else {
            preconditionFailure("the engine computes in Double and Float")
          }
        }
      }
    }
  }
}

extension BLAS {
  /// y ← A x, or y ← y + A x, for vectors: much less to prepare than for a product of matrices.
  package func multiply<T: Scalar>(
    _ a: Matrix<T>, vector x: Span<T>, adding: Bool, into y: inout MutableSpan<T>
  ) {
    precondition(x.count == a.columns && y.count == a.rows, "A has the vectors' extents")
    guard a.rows > 0 else { return }
    let flip = a.isTransposed ? CblasTrans : CblasNoTrans
    // The stored matrix is (m × n), whichever way it is read.
    let m = Int32(a.isTransposed ? a.columns : a.rows)
    let n = Int32(a.isTransposed ? a.rows : a.columns)
    // The extents of A were checked where it was made, those of x and y above: BLAS stays inside them.
    unsafe a.numbers.withUnsafeBufferPointer { aNumbers in
      unsafe x.withUnsafeBufferPointer { xNumbers in
        unsafe y.withUnsafeMutableBufferPointer { yNumbers in
          let a0 = unsafe UnsafeRawPointer(aNumbers.baseAddress)
          let x0 = unsafe UnsafeRawPointer(xNumbers.baseAddress)
          let y0 = UnsafeMutableRawPointer(yNumbers.baseAddress)
          if T.self == Double.self {
            unsafe dgemv(
              CblasRowMajor, flip, m, n, 1, a0?.assumingMemoryBound(to: Double.self),
              Int32(a.stride), x0?.assumingMemoryBound(to: Double.self), 1, adding ? 1 : 0,
              y0?.assumingMemoryBound(to: Double.self), 1)
          } else {
            unsafe sgemv(
              CblasRowMajor, flip, m, n, 1, a0?.assumingMemoryBound(to: Float.self),
              Int32(a.stride), x0?.assumingMemoryBound(to: Float.self), 1, adding ? 1 : 0,
              y0?.assumingMemoryBound(to: Float.self), 1)
          }
        }
      }
    }
  }
}

extension BLAS {
  /// C ← Aᵀ A + β C in the upper triangle of C, (A.columns × A.columns); what is below stays as it is.
  package func multiplyByItself<T: Scalar>(
    _ a: Matrix<T>, adding beta: T, into c: inout MutableSpan<T>
  ) {
    precondition(!a.isTransposed && c.count >= a.columns * a.columns, "C holds Aᵀ A")
    guard a.columns > 0 else { return }
    let n = Int32(a.columns)
    let k = Int32(a.rows)
    // The extent of A was checked where it was made, that of C above: BLAS stays inside them.
    unsafe a.numbers.withUnsafeBufferPointer { aNumbers in
      unsafe c.withUnsafeMutableBufferPointer { cNumbers in
        let a0 = unsafe UnsafeRawPointer(aNumbers.baseAddress)
        let c0 = UnsafeMutableRawPointer(cNumbers.baseAddress)
        if T.self == Double.self {
          unsafe dsyrk(
            CblasRowMajor, CblasUpper, CblasTrans, n, k, 1,
            a0?.assumingMemoryBound(to: Double.self), Int32(a.stride), Double(beta),
            c0?.assumingMemoryBound(to: Double.self), n)
        } else {
          unsafe ssyrk(
            CblasRowMajor, CblasUpper, CblasTrans, n, k, 1,
            a0?.assumingMemoryBound(to: Float.self), Int32(a.stride), Float(beta),
            c0?.assumingMemoryBound(to: Float.self), n)
        }
      }
    }
  }

  /// How many numbers and integers `eigenvalues` works in, for a matrix of n rows, beside the matrix.
  package static func eigenvalueSpace(_ n: Int) -> Int { 2 * n + 1 }

  /// The eigenvalues of a symmetric matrix (n × n), ascending, into the first n numbers of `values`.
  ///
  /// LAPACK's syevd for eigenvalues alone; `matrix` is overwritten, the rest of `values`, 2n + 1 numbers, is
  /// its workspace. False when it did not converge; the numbers must be finite.
  package func eigenvalues<T: Scalar>(
    of matrix: inout MutableSpan<T>, rows n: Int, into values: inout MutableSpan<T>
  ) -> Bool {
    precondition(matrix.count >= n * n && n <= Int(Int32.max), "the matrix is (n × n)")
    precondition(values.count >= n + BLAS.eigenvalueSpace(n), "eigenvalues and a workspace")
    var job = CChar(bitPattern: UInt8(ascii: "N"))
    var triangle = CChar(bitPattern: UInt8(ascii: "U"))
    var size = Int32(n)
    var numbers = Int32(BLAS.eigenvalueSpace(n))
    var integer: Int32 = 0
    var integers: Int32 = 1
    var info: Int32 = 0
    // For eigenvalues alone LAPACK asks for 2n + 1 numbers and one integer; extents were checked above.
    unsafe matrix.withUnsafeMutableBufferPointer { matrix in
      unsafe values.withUnsafeMutableBufferPointer { values in
        let a = UnsafeMutableRawPointer(matrix.baseAddress)
        let w = UnsafeMutableRawPointer(values.baseAddress)
        if T.self == Double.self {
          let w = unsafe w?.assumingMemoryBound(to: Double.self)
          unsafe dsyevd(
            &job, &triangle, &size, a?.assumingMemoryBound(to: Double.self), &size, w,
            w.map { unsafe $0 + n }, &numbers, &integer, &integers, &info, 1, 1)
        } else {
          let w = unsafe w?.assumingMemoryBound(to: Float.self)
          unsafe ssyevd(
            &job, &triangle, &size, a?.assumingMemoryBound(to: Float.self), &size, w,
            w.map { unsafe $0 + n }, &numbers, &integer, &integers, &info, 1, 1)
        }
      }
    }
    return info == 0
  }
}

/// Why OpenBLAS cannot be used, and what to do.
package struct BLASError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The library as it was looked for.
  package let library: String
  /// What is wrong with it.
  package let reason: String
  /// What makes it right.
  package let remedy: String

  /// `cannot load libopenblas.so.0: …; install it: apt-get install libopenblas0-pthread`
  package var description: String { "cannot load \(library): \(reason); \(remedy)" }
}
