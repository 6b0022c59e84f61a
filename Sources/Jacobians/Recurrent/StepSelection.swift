/// The steps whose results are asked for; counted from 0 here, from 1 in a job document.
package enum StepSelection: Hashable, Sendable {
  /// Every step.
  case all
  /// Each sequence's own last step; results have no time axis then.
  case last
  /// Some steps, ascending.
  case some([Int])

  /// How many rows a time axis for T steps has; for `last` there is no axis, and one row.
  package func count(of steps: Int) -> Int {
    switch self {
    case .all: steps
    case .last: 1
    case .some(let list): list.count
    }
  }

  /// The time axis as part of a shape.
  package func axis(of steps: Int) -> [Int] { self == .last ? [] : [count(of: steps)] }

  /// The name of the time axis.
  package var axisName: [String] { self == .last ? [] : ["steps"] }

  /// The step at a row of the time axis, of a sequence of that length.
  @inline(__always)
  package func step(at row: Int, length: Int) -> Int {
    switch self {
    case .all: row
    case .last: length - 1
    case .some(let list): list[row]
    }
  }

  /// The rows of the time axis whose steps are in `steps`, which ends before `length`.
  package func rows(in steps: Range<Int>, length: Int) -> Range<Int> {
    let steps = steps.clamped(to: 0..<length)
    switch self {
    case .all: return steps
    case .last: return steps.contains(length - 1) ? 0..<1 : 0..<0
    case .some(let list):
      return list.countBelow(steps.lowerBound)..<list.countBelow(steps.upperBound)
    }
  }

  /// How many steps a sequence of that length must be computed for.
  package func end(length: Int) -> Int {
    switch self {
    case .all, .last: length
    case .some(let list):
      list.last.map {
        $0 < length ? $0 + 1 : list[..<list.countBelow(length)].last.map { $0 + 1 } ?? 0
      } ?? 0
    }
  }
}

extension [Int] {
  /// How many entries of an ascending list are less than `bound`.
  fileprivate func countBelow(_ bound: Int) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < bound { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension GradientOptions {
  /// The `steps` asked for: `"all"` (also when missing), `"last"`, a list, or a range; 1…T in the document.
  func steps(of shape: SequenceShape) throws(PlanError) -> StepSelection {
    let allowed =
      "allowed: \"all\", \"last\", a list of steps from 1 to \(shape.steps) in ascending order, "
      + "or {\"from\": 1, \"to\": \(shape.steps)}"
    func refused(_ reason: String, at index: Int? = nil) -> PlanError {
      PlanError(
        place: "\(place).steps" + (index.map { "[\($0)]" } ?? ""), reason: reason, remedy: allowed)
    }
    let list: [Int]
    switch options["steps"] {
    case nil, .text("all"): return .all
    case .text("last"): return .last
    case .text(let text): throw refused("no steps \"\(text)\"")
    case .integers(let steps): list = steps
    case .texts([]): list = []
    case .range(let from, let to):
      guard from >= 1, to <= shape.steps, from <= to else {
        throw refused("there are no steps from \(from) to \(to)")
      }
      list = Array(from...to)
    default: throw refused("steps is a word, a list of whole numbers or a range")
    }
    guard !list.isEmpty else { throw refused("no step is asked for") }
    for (i, step) in list.enumerated() {
      guard (1...max(1, shape.steps)).contains(step), shape.steps > 0 else {
        throw refused("there is no step \(step)", at: i)
      }
      guard i == 0 || list[i - 1] < step else {
        throw refused("step \(step) comes after step \(list[i - 1])", at: i)
      }
    }
    return .some(list.map { $0 - 1 })
  }
}
