/// Some of a network's outputs in a chosen order, each once; all of them take no memory.
package struct OutputSubset: RandomAccessCollection, Hashable, Sendable {
  private enum Storage: Hashable, Sendable {
    case all(Int)
    case some([Int], rows: [Int: Int])
  }
  private let storage: Storage

  /// All of `count` outputs, in order.
  package init(allOf count: Int) { storage = .all(count) }

  /// Those outputs, in that order; no output may come twice.
  package init(_ outputs: [Int]) {
    storage = .some(
      outputs, rows: Dictionary(uniqueKeysWithValues: outputs.enumerated().map { ($1, $0) }))
  }

  package var startIndex: Int { 0 }

  package var endIndex: Int {
    switch storage {
    case .all(let count): count
    case .some(let outputs, _): outputs.count
    }
  }

  package subscript(row: Int) -> Int {
    switch storage {
    case .all: row
    case .some(let outputs, _): outputs[row]
    }
  }

  /// At which place an output stands here, or nil.
  package func row(of output: Int) -> Int? {
    switch storage {
    case .all(let count): 0 <= output && output < count ? output : nil
    case .some(_, let rows): rows[output]
    }
  }

  /// At which place an output stands that is among these.
  func place(of output: Int) -> Int {
    guard let row = row(of: output) else {
      preconditionFailure("a gradient reads the outputs it declared")
    }
    return row
  }

  /// These outputs and then those of `other` that are not among them.
  package func union(_ other: OutputSubset) -> OutputSubset {
    if case .all = storage { return self }
    if case .all = other.storage { return other }
    return OutputSubset(Array(self) + other.filter { row(of: $0) == nil })
  }
}
