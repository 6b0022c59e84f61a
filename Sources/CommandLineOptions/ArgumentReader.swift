private import CLinux
import Formats
import Glibc
import Synchronization

/// Reads a command line with getopt_long(3): GNU permutation, `--option=value`, unambiguous beginnings, `--`.
package enum ArgumentReader {
  /// The code getopt_long(3) gives for the option at index 0; above every character.
  private static let firstCode: Int32 = 256

  /// getopt_long(3) keeps its place in variables of the process: one reads at a time.
  private static let reading = Mutex(())

  /// Reads `words`; with `stopsAtOperand` everything from the first operand on is an operand.
  ///
  /// `command` is what the options belong to, `help` what lists them; both are for messages.
  package static func read(
    _ words: [String], options: [Option], command: String?, help: String, stopsAtOperand: Bool
  ) throws(OptionError) -> Arguments {
    try reading.withLock { _ throws(OptionError) in
      try readAlone(
        words, options: options, command: command, help: help, stopsAtOperand: stopsAtOperand)
    }
  }

  private static func readAlone(
    _ words: [String], options: [Option], command: String?, help: String, stopsAtOperand: Bool
  ) throws(OptionError) -> Arguments {
    // getopt_long(3) reorders the pointers and keeps pointers into the texts: they live until the end.
    var argv: [UnsafeMutablePointer<CChar>?] =
      unsafe ([command ?? ""] + words).map { unsafe strdup($0) }
    let count = Int32(words.count + 1)
    unsafe argv.append(nil)
    var table: [CLinux.option] = unsafe []
    for (index, declared) in options.enumerated() {
      unsafe table.append(
        CLinux.option(
          name: strdup(declared.name), has_arg: declared.value == nil ? 0 : 1, flag: nil,
          val: firstCode + Int32(index)))
    }
    unsafe table.append(CLinux.option())
    defer {
      for index in unsafe argv.indices { unsafe free(argv[index]) }
      for index in unsafe table.indices {
        unsafe free(UnsafeMutableRawPointer(mutating: table[index].name))
      }
    }
    let letters = shortOptions(options, stopsAtOperand: stopsAtOperand)

    var arguments = Arguments()
    nnjobs_options_restart()
    while true {
      let found = unsafe nnjobs_next_option(count, argv, letters, table)
      let code = unsafe found.code
      if code == -1 {
        let rest = Int(unsafe found.next)..<Int(count)
        arguments.operands = rest.map { unsafe text(argv[$0]) }
        return arguments
      }
      guard let declared = declared(by: code, in: options) else {
        let culprit = declared(by: unsafe found.culprit, in: options)
        if code == Int32(UInt8(ascii: ":")), let culprit {
          throw .missingValue(option: "--" + culprit.name, value: culprit.value ?? "VALUE")
        }
        if let culprit { throw .unexpectedValue(option: "--" + culprit.name) }
        let letter = unsafe found.culprit
        let word = unsafe text(argv[Int(found.next) - 1])
        throw unknown(
          letter == 0 ? word : "-" + String(UnicodeScalar(UInt8(truncatingIfNeeded: letter))),
          options, command, help)
      }
      arguments.values[declared.name, default: []].append(
        unsafe found.value.map { unsafe String(cString: $0) } ?? "")
    }
  }

  /// `+:ho:`: stop at the first operand, tell a missing value from an unknown option, then the letters.
  private static func shortOptions(_ options: [Option], stopsAtOperand: Bool) -> String {
    let letters = options.compactMap { option in
      option.letter.map { String($0) + (option.value == nil ? "" : ":") }
    }
    return (stopsAtOperand ? "+:" : ":") + letters.joined()
  }

  private static func declared(by code: Int32, in options: [Option]) -> Option? {
    if code >= firstCode {
      let index = Int(code - firstCode)
      return options.indices.contains(index) ? options[index] : nil
    }
    return options.first { $0.letter?.asciiValue.map(Int32.init) == code }
  }

  private static func unknown(
    _ word: String, _ options: [Option], _ command: String?, _ help: String
  ) -> OptionError {
    let name = String(word.prefix { $0 != "=" })
    let names = options.map { "--" + $0.name }
    let candidates = names.filter { $0.hasPrefix(name) }
    if name.hasPrefix("--"), candidates.count > 1 { return .ambiguous(name, candidates) }
    return .unknown(
      name, command: command, near: Suggestion.nearest(to: name, among: names), help: help)
  }

  private static func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
    guard let pointer = unsafe pointer else { return "" }
    return unsafe String(cString: pointer)
  }
}
