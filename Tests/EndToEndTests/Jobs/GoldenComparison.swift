import Formats
import TestSupport
import Testing

/// Compares two published results of a reference case, which together hold every gradient, with what is expected.
struct GoldenComparison {
  /// The gradients of the first job; all forms and layouts of the parameter Jacobian go together.
  static let gradients = """
    ["outputs", "parameter-jacobian", {"of": "parameter-jacobian", "layout": "matrix"}, \
    {"of": "parameter-jacobian", "form": "factored"}, "input-jacobian", "local-gradients", "loss", "loss-gradient"]
    """
  /// The gradients of the second job: its arrays have the names of the first one's.
  static let gradientsPerSample = #"[{"of": "loss-gradient", "per_sample": true}]"#

  /// |difference| ≤ tolerance · max(1, |expected|), for each number.
  ///
  /// float64: sums of at most some hundred terms, so a few thousand units in the last place at most.
  /// float32: the same, a unit being 6e-8.
  static func tolerance(_ dtype: String) -> Double { dtype == "float64" ? 1e-12 : 2e-5 }

  /// Checks every expected array, and that no other array was published.
  static func check(
    _ main: PublishedFolder, perSample: PublishedFolder, of reference: ReferenceCase, dtype: String
  ) throws {
    let expected = try reference.expected()
    var compared: Set<String> = []
    for name in expected.names {
      let numbers = try expected.array(named: name)
      let (folder, path) =
        if name == "parameter-jacobian-matrix" {
          (main, "parameter-jacobian")
        } else if name.hasPrefix("loss-gradient-per-sample/") {
          (perSample, name.replacing("-per-sample", with: ""))
        } else {
          (main, name)
        }
      let array = try folder.array(path)
      #expect(array.array.type.rawValue == dtype, "\(name)")
      #expect(array.shape == numbers.shape, "\(name)")
      compare(try array.numbers(), with: try numbers.numbers, name, dtype)
      if folder.path == main.path { compared.insert(path) }
    }
    compared.formUnion(try checkFactors(main, expected, dtype))
    #expect(Set(main.arrays) == compared, "every array published is compared")
    #expect(
      Set(perSample.arrays) == compared.filter { $0.hasPrefix("loss-gradient/") },
      "every array published per sample is compared")
  }

  /// δ ⊗ a, multiplied out, is the dense Jacobian; gives the paths of the factors.
  private static func checkFactors(
    _ main: PublishedFolder, _ expected: NPZFile, _ dtype: String
  ) throws -> Set<String> {
    var paths: Set<String> = []
    let layers = expected.names.count { $0.hasPrefix("parameter-jacobian/W") }
    for k in 1...layers {
      let deltaPath = "parameter-jacobian/delta\(k)"
      let aPath = "parameter-jacobian/a\(k - 1)"
      paths.formUnion([deltaPath, aPath])
      let deltaFile = try main.array(deltaPath)
      let delta = try deltaFile.numbers()
      let a = try main.array(aPath).numbers()
      let weights = try expected.array(named: "parameter-jacobian/W\(k)")
      let (batch, m, n, inputs) =
        (weights.shape[0], weights.shape[1], weights.shape[2], weights.shape[3])
      #expect(deltaFile.shape == [batch, m, n])
      #expect(try main.array(aPath).shape == [batch, inputs])
      var dense: [Double] = []
      dense.reserveCapacity(batch * m * n * inputs)
      for b in 0..<batch {
        for row in 0..<m * n {
          for i in 0..<inputs { dense.append(delta[b * m * n + row] * a[b * inputs + i]) }
        }
      }
      compare(dense, with: try weights.numbers, "factors of W\(k)", dtype)
      if expected.names.contains("parameter-jacobian/b\(k)") {
        compare(
          delta, with: try expected.array(named: "parameter-jacobian/b\(k)").numbers,
          "factors of b\(k)", dtype)
      }
    }
    return paths
  }

  private static func compare(
    _ actual: [Double], with expected: [Double], _ name: String, _ dtype: String
  ) {
    guard actual.count == expected.count else {
      Issue.record("\(name) has \(actual.count) numbers, expected \(expected.count)")
      return
    }
    let tolerance = tolerance(dtype)
    var worst = 0.0
    for (a, e) in zip(actual, expected) {
      let error = abs(a - e) / max(1, abs(e))
      worst = max(worst, error.isNaN ? .infinity : error)
    }
    #expect(worst <= tolerance, "\(name), \(dtype)")
  }
}

extension StoredArray {
  /// All numbers, row by row.
  var numbers: [Double] {
    get throws { try values(Double.self).array }
  }
}
