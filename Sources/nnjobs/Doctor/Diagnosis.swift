/// One thing that `nnjobs doctor` looked at.
struct Diagnosis: Hashable, Sendable {
  /// How it stands.
  enum Level: String, Sendable, Comparable {
    /// As it should be.
    case ok
    /// It works, but something could be better or will be missed.
    case warning
    /// Jobs cannot be taken, computed or published as they should.
    case problem

    private var rank: Int { self == .ok ? 0 : self == .warning ? 1 : 2 }

    static func < (a: Level, b: Level) -> Bool { a.rank < b.rank }
  }

  /// How it stands.
  let level: Level
  /// What was looked at, in a word or two.
  let subject: String
  /// What was found, with numbers.
  let text: String
  /// What puts it right; nil where nothing is wrong.
  let cure: String?

  /// It is as it should be.
  static func ok(_ subject: String, _ text: String) -> Diagnosis {
    Diagnosis(level: .ok, subject: subject, text: text, cure: nil)
  }

  /// It could be better.
  static func warning(_ subject: String, _ text: String, cure: String) -> Diagnosis {
    Diagnosis(level: .warning, subject: subject, text: text, cure: cure)
  }

  /// It is wrong.
  static func problem(_ subject: String, _ text: String, cure: String) -> Diagnosis {
    Diagnosis(level: .problem, subject: subject, text: text, cure: cure)
  }

  /// For programs.
  var json: JSON {
    .object([
      "level": .text(level.rawValue), "subject": .text(subject), "text": .text(text),
      "cure": .optional(cure),
    ])
  }
}

extension [Diagnosis] {
  /// A line for each, and the cure of what is not right below it.
  func text(_ terminal: Terminal) -> String {
    let width = map(\.subject.count).max() ?? 0
    return map { diagnosis in
      let level = diagnosis.level.rawValue
      let indent = String(repeating: " ", count: 9 + width + 2)
      return terminal.text(level, diagnosis.level.colouring)
        + String(repeating: " ", count: 9 - level.count) + diagnosis.subject
        + String(repeating: " ", count: width - diagnosis.subject.count + 2)
        + Wording.visible(diagnosis.text) + "\n"
        + (diagnosis.cure.map { "\(indent)→ \(Wording.visible($0))\n" } ?? "")
    }.joined()
  }
}

extension Diagnosis.Level {
  fileprivate var colouring: Colouring {
    switch self {
    case .ok: .green
    case .warning: .yellow
    case .problem: .red
    }
  }
}
