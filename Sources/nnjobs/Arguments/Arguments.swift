/// Options with their values, and operands, as the user gave them.
struct Arguments: Hashable, Sendable {
  /// Each given option's values in order; an option without value has empty texts.
  var values: [String: [String]] = [:]
  /// What is no option.
  var operands: [String] = []

  /// Whether the option is given.
  func has(_ option: Option) -> Bool { values[option.name] != nil }

  /// The last value given.
  func value(_ option: Option) -> String? { values[option.name]?.last }

  /// All values given.
  func values(_ option: Option) -> [String] { values[option.name] ?? [] }

  /// Refuses operands of a command that takes none.
  func requireNoOperands(of command: String) throws(Complaint) {
    if let first = operands.first {
      throw .unexpectedOperand(command: command, first)
    }
  }

  /// A whole number within `range`.
  func integer(_ option: Option, in range: ClosedRange<Int>) throws(Complaint) -> Int? {
    guard let text = value(option) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw .wrongValue(
        option: "--" + option.name, value: text,
        expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }
}
