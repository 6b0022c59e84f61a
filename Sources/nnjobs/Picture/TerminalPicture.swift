/// A picture in a terminal: two pixels a character where there are colours, shades where there are none.
struct TerminalPicture: Sendable {
  /// What colours a terminal has.
  enum Colours: Sendable, CaseIterable {
    /// Red, green and blue of 8 bits each.
    case trueColour
    /// The 6 × 6 × 6 cube and the greys of 256-colour terminals.
    case palette
    /// No colours: shades, negative numbers marked by a minus sign.
    case none

    /// What a terminal says of itself in its environment; `wanted` is what the user or the terminal allows.
    init(wanted: Bool, isForced: Bool = false, colorterm: String?, term: String?) {
      if !wanted {
        self = .none
      } else if colorterm == "truecolor" || colorterm == "24bit" {
        self = .trueColour
      } else {
        self = isForced || (term?.contains("256color") ?? false) ? .palette : .none
      }
    }
  }

  private let picture: Picture
  private let colours: Colours
  private let scale: ColourScale

  /// Prepares a picture for a terminal of `width` columns: what is wider is reduced, what is small is enlarged.
  init(_ picture: Picture, colours: Colours, width: Int, scale: Int? = nil) {
    // A shade takes two characters, so that a place is about square.
    let places = max(1, colours == .none ? width / 2 : width)
    let most = 2 * max(places, 40)
    let fitting = picture.reduced(rows: most, columns: places)
    let comfortable = colours == .none ? 16 : 48
    let enlargement =
      scale ?? max(1, min(places, comfortable) / max(fitting.columns, fitting.rows))
    self.picture = fitting.enlarged(max(1, min(enlargement, places / fitting.columns)))
    self.colours = colours
    self.scale = ColourScale(limit: picture.limit)
  }

  /// The lines, each ended by a line feed.
  var text: String {
    var text = ""
    if colours == .none {
      for row in 0..<picture.rows {
        text += (0..<picture.columns).map { shade(of: picture[row, $0]) }.joined() + "\n"
      }
    } else {
      for row in stride(from: 0, to: picture.rows, by: 2) { text += line(from: row) }
    }
    return text
  }

  /// The scale's two ends and its middle: `−0.42 … 0 … 0.42`.
  var legend: String {
    let end = Self.short(scale.limit)
    switch colours {
    case .none: return "-█ −\(end)   0   ██ \(end)"
    case .trueColour, .palette:
      let swatches = [-1.0, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1].map {
        code(scale[$0 * scale.limit], isBackground: true) + "  "
      }
      return "−\(end) \(swatches.joined())\u{1B}[0m \(end)"
    }
  }

  /// Rows `row` and `row + 1` in one line of upper half blocks: the upper pixel in front, the lower behind.
  private func line(from row: Int) -> String {
    var line = ""
    var last: (Colour, Colour?)?
    for column in 0..<picture.columns {
      let upper = scale[picture[row, column]]
      let lower = row + 1 < picture.rows ? scale[picture[row + 1, column]] : nil
      if last.map({ $0 == (upper, lower) }) != true {
        line += code(upper, isBackground: false)
        if let lower { line += code(lower, isBackground: true) }
        last = (upper, lower)
      }
      line += "▀"
    }
    return line + "\u{1B}[0m\n"
  }

  private func code(_ colour: Colour, isBackground: Bool) -> String {
    let (red, green, blue) = (Int(colour.red), Int(colour.green), Int(colour.blue))
    let ground = isBackground ? 48 : 38
    guard colours == .palette else { return "\u{1B}[\(ground);2;\(red);\(green);\(blue)m" }
    if red == green && green == blue && red > 3 && red < 243 {
      return "\u{1B}[\(ground);5;\(232 + (red - 3) / 10)m"
    }
    // The cube's steps are at 0, 95, 135, 175, 215, 255.
    func step(_ channel: Int) -> Int { channel < 48 ? 0 : channel < 115 ? 1 : (channel - 35) / 40 }
    return "\u{1B}[\(ground);5;\(16 + 36 * step(red) + 6 * step(green) + step(blue))m"
  }

  private func shade(of number: Double) -> String {
    guard !number.isNaN else { return "??" }
    let shades = [" ", "░", "▒", "▓", "█"]
    let shade = shades[Int((scale.strength(of: number) * 4).rounded())]
    return (number < 0 && shade != " " ? "-" : shade) + shade
  }

  /// Three significant digits, as `0.421`, `123` or `1.5e-7`.
  private static func short(_ number: Double) -> String {
    guard number > 0 else { return "0" }
    var (leading, exponent) = (number, 0)
    while leading >= 10 { (leading, exponent) = (leading / 10, exponent + 1) }
    while leading < 1 { (leading, exponent) = (leading * 10, exponent - 1) }
    var digits = Int((leading * 100).rounded())
    if digits == 1000 { (digits, exponent) = (100, exponent + 1) }
    var text = String(digits)
    switch exponent {
    case -3..<0: text = "0." + String(repeating: "0", count: -exponent - 1) + text
    case 0, 1: text.insert(".", at: text.index(text.startIndex, offsetBy: exponent + 1))
    case 2: return text
    default: text.insert(".", at: text.index(after: text.startIndex))
    }
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return (-3...2).contains(exponent) ? text : "\(text)e\(exponent)"
  }
}

extension Picture {
  /// Each number repeated in a square of `times` × `times` places.
  func enlarged(_ times: Int) -> Picture {
    guard times > 1 else { return self }
    var repeated: [Double] = []
    repeated.reserveCapacity(numbers.count * times * times)
    for row in 0..<rows * times {
      for column in 0..<columns * times { repeated.append(self[row / times, column / times]) }
    }
    return Picture(rows: rows * times, columns: columns * times, numbers: repeated)
  }
}
