/// Options with their values, and operands, as the user gave them.
package struct Arguments: Hashable, Sendable {
  /// Each given option's values in order; an option without value has empty texts.
  package var values: [String: [String]] = [:]
  /// What is no option.
  package var operands: [String] = []

  /// Nothing given.
  package init() {}

  /// Whether the option is given.
  package func has(_ option: Option) -> Bool { values[option.name] != nil }

  /// The last value given.
  package func value(_ option: Option) -> String? { values[option.name]?.last }

  /// All values given.
  package func values(_ option: Option) -> [String] { values[option.name] ?? [] }

  /// A whole number within `range`.
  package func integer(_ option: Option, in range: ClosedRange<Int>) throws(OptionError) -> Int? {
    guard let text = value(option) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw .wrongValue(
        option: "--" + option.name, value: text,
        expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }
}
