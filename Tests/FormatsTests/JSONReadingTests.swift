import Formats
import Foundation
import Testing

struct JSONReadingTests {
  private static func read(_ text: String) throws(FormatError) -> JSONDocument {
    try JSONDocument(reading: Array(text.utf8), file: "a.json")
  }

  /// A value in one line: what the reader understood.
  private static func words(_ value: JSONValue, _ document: JSONDocument) -> String {
    switch value.content {
    case .null: return "null"
    case .flag(let flag): return "\(flag)"
    case .number(let number): return "\(number)"
    case .text(let text): return "'\(text)'"
    case .numbers(let start, let shape):
      let count = shape.reduce(1, *)
      let numbers = (start..<(start + count)).map { "\(document.numbers.span[$0])" }
      return "\(shape): " + numbers.joined(separator: " ")
    case .list(let values):
      return "[" + values.map { words($0, document) }.joined(separator: ", ") + "]"
    case .object(let members):
      return "{"
        + members.map { "\($0.key)@\($0.offset)=\(words($0.value, document))" }
        .joined(separator: ", ") + "}"
    }
  }

  private static let good: [(text: String, words: String)] = [
    ("null", "null"), (" \t\r\ntrue ", "true"), ("false", "false"),
    ("0", "0.0"), ("-0", "-0.0"), ("-0.0e0", "-0.0"), ("12.5E+1", "125.0"), ("1e-2", "0.01"),
    ("NaN", "nan"), ("Infinity", "inf"), ("-Infinity", "-inf"),
    (#""""#, "''"), (#""a\"\\\/\b\f\n\r\t""#, "'a\"\\/\u{8}\u{c}\n\r\t'"),
    (#""\u0041\u00e9\u20AC\ud83d\ude00é€😀""#, "'Aé€😀é€😀'"),
    ("[]", "[0]: "), ("[[], []]", "[2, 0]: "), ("[1, 2,3 ]", "[3]: 1.0 2.0 3.0"),
    ("[NaN, -Infinity, Infinity]", "[3]: nan -inf inf"),
    ("[[1,2],[3,4],[5,6]]", "[3, 2]: 1.0 2.0 3.0 4.0 5.0 6.0"),
    ("[ [ [1] , [2] ] ]", "[1, 2, 1]: 1.0 2.0"),
    (#"["a", [1], {"b": []}, 2, null]"#, "['a', [1]: 1.0, {b@12=[0]: }, 2.0, null]"),
    (#"{"a": {"a": 1}, "": [["x"]]}"#, "{a@1={a@7=1.0}, @16=[['x']]}"),
    ("{}", "{}"), (" { } ", "{}"),
  ]

  @Test(arguments: good)
  func `values are read as they are written`(text: String, words: String) throws {
    let document = try JSONReadingTests.read(text)
    #expect(JSONReadingTests.words(document.root, document) == words)
  }

  private static let bad: [(text: String, sentence: String)] = [
    ("{a: 1}", #"line 1, column 2: "a" stands where a key in quotes belongs"#),
    ("{'a': 1}", #"line 1, column 2: "'" stands where a key in quotes belongs"#),
    (#"{"a" 1}"#, #"line 1, column 6: "1" stands where a colon belongs"#),
    (#"{"a": 1,}"#, #"line 1, column 9: "}" stands where a key in quotes belongs"#),
    (#"{"a": 1 "b": 2}"#, #"line 1, column 9: '"' stands where a comma or } belongs"#),
    ("[1 2]", #"line 1, column 4: "2" stands where a comma or ] belongs"#),
    ("[1,]", #"line 1, column 4: "]" stands where a number belongs"#),
    ("[,1]", #"line 1, column 2: "," stands where a value belongs"#),
    (#"["a",]"#, #"line 1, column 6: "]" stands where a value belongs"#),
    ("[1}", #"line 1, column 3: "}" stands where a comma or ] belongs"#),
    ("nul1", #"line 1, column 1: "n" stands where a value belongs"#),
    ("True", #"line 1, column 1: "T" stands where a value belongs"#),
    ("nan", #"line 1, column 1: "n" stands where a value belongs"#),
    ("-NaN", #"line 1, column 2: "N" stands where a digit belongs"#),
    ("+1", #"line 1, column 1: "+" stands where a value belongs"#),
    (".5", #"line 1, column 1: "." stands where a value belongs"#),
    ("[1.]", #"line 1, column 4: "]" stands where a digit belongs"#),
    ("[1e]", #"line 1, column 4: "]" stands where a digit belongs"#),
    ("[01]", "line 1, column 2: a number begins with a needless zero"),
    ("[0x10]", #"line 1, column 3: "x" stands where a comma or ] belongs"#),
    (
      "[1e400]",
      #"line 1, column 2: "1e400" is beyond double precision; write Infinity if that is meant"#
    ),
    ("1 2", #"line 1, column 3: "2" stands after the document"#),
    ("{}\n\n}", #"line 3, column 1: "}" stands after the document"#),
    ("// a\n1", #"line 1, column 1: "/" stands where a value belongs"#),
    (
      "\u{FEFF}{}",
      "line 1, column 1: a byte order mark stands before the document; write it as UTF-8 without one"
    ),
    ("\"a\u{1}\"", "line 1, column 3: byte 0x01 stands bare in a text; escape it with a backslash"),
    (
      #""é\x""#,
      #"line 1, column 3: \ before "x" is no escape; escapes are \" \\ \/ \b \f \n \r \t \uXXXX"#
    ),
    (#""\u12g4""#, #"line 1, column 2: \u stands without four hexadecimal digits"#),
    (#""\ud800""#, "line 1, column 2: half a surrogate pair stands alone"),
    (#""\ude00\ud83d""#, "line 1, column 2: half a surrogate pair stands alone"),
    (#""\ud83d\u0041""#, "line 1, column 2: half a surrogate pair stands alone"),
    (#""\ud83dab""#, "line 1, column 2: half a surrogate pair stands alone"),
    (
      "{\"a\": 1,\n \"b\": 2,\n \"a\": 3}",
      "line 3, column 2: the key \"a\" stands twice in one object, first in line 1, column 2"
    ),
    (
      "[[1, 2],\n [3]]",
      "line 2, column 2: an array of length 1 stands beside arrays of length 2; all rows of an array have one length"
    ),
    (
      "[[], [1]]",
      "line 1, column 6: an array of length 1 stands beside arrays of length 0; all rows of an array have one length"
    ),
    (
      "[1, [2]]",
      "line 1, column 5: an array stands beside numbers; all rows of an array have one length"
    ),
    (
      "[[1], 2]",
      "line 1, column 7: a number stands beside arrays; all rows of an array have one length"
    ),
    (
      "[[[1]], [2]]",
      "line 1, column 10: a number stands beside arrays; all rows of an array have one length"
    ),
    ("[1, null]", "line 1, column 5: null stands in an array of numbers; write NaN"),
    ("[1, \"a\"]", #"line 1, column 5: '"' stands where a number belongs"#),
    ("[[1], \"a\"]", #"line 1, column 7: '"' stands where an array of numbers belongs"#),
  ]

  @Test(arguments: bad)
  func `what is no JSON is refused with its line and column`(text: String, sentence: String) {
    let error = failure { () throws(FormatError) in _ = try JSONReadingTests.read(text) }
    #expect(error?.sentence == "cannot read a.json: " + sentence)
    #expect(error?.isIncomplete == false)
  }

  @Test func `bytes that are no UTF-8 are refused with their position`() {
    for bytes: [UInt8] in [
      [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xC3], [0xF5, 0x80, 0x80, 0x80],
    ] {
      let text = Array("\"é".utf8) + bytes + Array("\"".utf8)
      let error = failure { () throws(FormatError) in
        _ = try JSONDocument(reading: text, file: "a.json")
      }
      #expect(error?.sentence == "cannot read a.json: line 1, column 3: the text is not UTF-8")
      // Cut behind the bad bytes it is no better; only a character that is cut may be completed.
      let cut = failure { () throws(FormatError) in
        _ = try JSONDocument(reading: text.dropLast(), file: "a.json")
      }
      #expect(cut?.isIncomplete == (bytes == [0xC3]))
    }
  }

  @Test func `every document cut short is incomplete and nothing else is`() {
    let text = Array(
      #"{"a": [[1.5e-3, NaN], [-Infinity, 0]], "b": "é\ud83d\ude00\n", "c": [true, false, null, "x"]} "#
        .utf8)
    for count in text.indices {
      let error = failure { () throws(FormatError) in
        _ = try JSONDocument(reading: Array(text[..<count]), file: "a.json")
      }
      // 1. All but the white space at its end belongs to the document.
      #expect((error?.isIncomplete ?? false) == (count < text.count - 1), "\(count)")
    }
    // 2. A mistake before the end stays one.
    for text in [
      "{\"a\": 1, \"a\"", "[1, [", "[[1,2],[3]", "{\"a\": tru1", "\"\\x", "[1e999", "\"\\ud83dx",
    ] {
      let error = failure { () throws(FormatError) in _ = try JSONReadingTests.read(text) }
      #expect(error?.isIncomplete == false, "\(text)")
    }
    // 3. Beyond double precision, but an exponent may follow.
    let digits = "[" + String(repeating: "9", count: 400)
    for text in [digits, digits + ".0e-1"] {
      let error = failure { () throws(FormatError) in _ = try JSONReadingTests.read(text) }
      #expect(error?.isIncomplete == true)
    }
  }

  @Test func `nesting is bounded for objects, lists and arrays of numbers`() throws {
    let limit = JSONDocument.depthLimit
    for (open, inner, close) in [("[", "1", "]"), ("[", "\"a\"", "]"), ("{\"a\":", "1", "}")] {
      func nested(_ depth: Int) -> String {
        String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
      }
      _ = try JSONReadingTests.read(nested(limit))
      let error = failure { () throws(FormatError) in
        _ = try JSONReadingTests.read(nested(limit + 1))
      }
      #expect(error?.reason == "nested deeper than 64 levels")
      // As deep as a hostile file could make it, it is not even complete.
      let deep = failure { () throws(FormatError) in
        _ = try JSONReadingTests.read(String(repeating: open, count: 1_000_000))
      }
      #expect(deep?.reason == "nested deeper than 64 levels")
    }
  }

  @Test func `numbers are rounded exactly as the C library rounds them`() throws {
    var generator = SplitMix(seed: 1)
    var texts: [String] = [
      "9007199254740993", "9007199254740992.5", "18446744073709551615", "18446744073709551616",
      "9999999999999999999", "1e23", "8.5e22", "1e27", "1e-27", "1e28", "1e-28", "5e-324", "2e-324",
      "1.7976931348623157e308", "2.2250738585072014e-308", "0.1", "123456789012345678901234567890",
      "1e-400", "0e400", "0.00000000000000000000000000000000000001",
      "9007199254740993.0000000000000000000000000000000000000000000000001",
      // Products that are a tie but for their lowest bits.
      "4726977563901141431e20", "6807401250221549970e20", "9151211196089001721e21",
      "8743754188693908183e21", "6483344205532355525e22", "5903073407044222936e22",
      "5827877766312003925e23", "8157406187372803249e23", "8942902406885121282e24",
      "7994574163589118444e24", "5670465631989040554e25", "7900030004682017615e25",
      "7588368730538267772e26", "5369590754272292136e26", "4660855759661457179e27",
      "9179743284772493401e27",
    ]
    for _ in 0..<4000 {
      let bits = generator.next()
      let any = Double(bitPattern: bits)
      if any.isFinite { texts.append("\(any)") }
      // Weights as Python writes them, and halfway cases between two doubles.
      let weight = Double(Int64(bitPattern: bits) >> 11) * 0x1p-50
      texts.append("\(weight)")
      texts.append(String(format: "%.17g", weight))
      texts.append("\((bits >> 11 | 1 << 52) << 1 | 1)")
      texts.append("\(bits)e\(Int(bits % 60) - 30)")
      texts.append("\(bits % 1_000_000).\(bits >> 20)")
    }
    let document = try JSONReadingTests.read("[" + texts.joined(separator: ",") + "]")
    for (i, text) in texts.enumerated() {
      let number = document.numbers.span[i]
      let expected = unsafe strtod(text, nil)
      #expect(number.bitPattern == expected.bitPattern, "\(text)")
    }
  }
}

/// Random numbers that are the same in every run (Steele, Lea and Flood 2014).
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  /// Starts a sequence.
  init(seed: UInt64) { state = seed }

  /// The next number.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
