/// Job ids as operands; `-` stands for those on standard input.
enum IdList {
  /// Reads the ids that `operands` name, each once, in order.
  static func read(_ operands: [String], command: String) throws(Complaint) -> [Int64] {
    if operands.isEmpty { throw .missingOperand(command: command, operand: "ID…") }
    return try readAny(operands)
  }

  /// Reads the ids that `operands` name; none is right too.
  static func readAny(_ operands: [String]) throws(Complaint) -> [Int64] {
    var ids: [Int64] = []
    for operand in operands {
      if operand == "-" {
        while let line = readLine() {
          for word in line.split(whereSeparator: \.isWhitespace) { ids.append(try id(word)) }
        }
      } else {
        ids.append(try id(operand))
      }
    }
    var seen: Set<Int64> = []
    return ids.filter { seen.insert($0).inserted }
  }

  private static func id(_ text: some StringProtocol) throws(Complaint) -> Int64 {
    guard let id = Int64(text), id > 0 else { throw .notAnId(String(text)) }
    return id
  }
}
