import Formats
import Testing

struct WordingTests {
  @Test(arguments: [
    ("tahn", "tanh"), ("TANH", "tanh"), ("leakyrelu", "leaky-relu"), ("leaky_relu", "leaky-relu"),
    ("sigmod", "sigmoid"), ("", nil), ("swish", nil), (String(repeating: "tanh", count: 100), nil),
  ])
  func `the nearest word is suggested when one is near`(word: String, expected: String?) {
    let words = ["tanh", "sigmoid", "leaky-relu", "log-softmax"]
    #expect(Suggestion.nearest(to: word, among: words) == expected)
  }

  @Test(arguments: [
    ("a b", #""a b""#), ("a\"\\", #""a\"\\""#),
    ("\u{1B}[31m\n\u{202E}", #""\u{1b}[31m\u{a}\u{202e}""#),
    ("é€😀", #""é€😀""#),
    (String(repeating: "a", count: 1000), "\"" + String(repeating: "a", count: 60) + "…\""),
  ])
  func `quoted words are short and carry no control characters`(word: String, expected: String) {
    #expect(word.quoted == expected)
  }

  @Test func `long lists and odd names are shortened and quoted`() {
    #expect(Quotation.list(["a", "b\n", "fc1.weight", ""]) == #"a, "b\u{a}", fc1.weight, """#)
    #expect(Quotation.list((0..<5).map { "n\($0)" }, limit: 3) == "n0, n1, n2 and 2 more")
    #expect(Quotation.count(1, "byte") == "1 byte" && Quotation.count(0, "byte") == "0 bytes")
  }
}
