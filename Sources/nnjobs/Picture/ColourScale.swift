/// A colour on a screen, eight bits a channel.
struct Colour: Hashable, Sendable {
  /// The red channel.
  let red: UInt8
  /// The green channel.
  let green: UInt8
  /// The blue channel.
  let blue: UInt8

  /// Mixes a colour from its channels.
  init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }
}

/// Numbers as colours on both sides of zero: blue below, white at zero, red above, both darker with magnitude.
///
/// The stops are ColorBrewer's RdBu, which people with red-green blindness can read too.
struct ColourScale: Sendable {
  /// The magnitude of the strongest colours.
  let limit: Double

  /// Not a number: a grey that is no colour of the scale.
  static let notANumber = Colour(128, 128, 128)

  private static let below = [
    Colour(247, 247, 247), Colour(209, 229, 240), Colour(146, 197, 222), Colour(67, 147, 195),
    Colour(33, 102, 172), Colour(5, 48, 97),
  ]
  private static let above = [
    Colour(247, 247, 247), Colour(253, 219, 199), Colour(244, 165, 130), Colour(214, 96, 77),
    Colour(178, 24, 43), Colour(103, 0, 31),
  ]

  /// A scale whose ends are at −`limit` and `limit`; with 0, every finite number is white.
  init(limit: Double) {
    precondition(limit.isFinite && limit >= 0, "a limit is a finite magnitude")
    self.limit = limit
  }

  /// The colour of a number; infinities have those of the ends.
  subscript(number: Double) -> Colour {
    guard !number.isNaN else { return Self.notANumber }
    let stops = number < 0 ? Self.below : Self.above
    let place = strength(of: number) * Double(stops.count - 1)
    let left = min(Int(place), stops.count - 2)
    let share = place - Double(left)
    func mixed(_ channel: KeyPath<Colour, UInt8>) -> UInt8 {
      let (from, to) = (
        Double(stops[left][keyPath: channel]), Double(stops[left + 1][keyPath: channel])
      )
      return UInt8((from + (to - from) * share).rounded())
    }
    return Colour(mixed(\.red), mixed(\.green), mixed(\.blue))
  }

  /// The magnitude as a part of the limit, 0 to 1.
  func strength(of number: Double) -> Double {
    guard number.isFinite else { return 1 }
    return limit > 0 ? min(abs(number) / limit, 1) : 0
  }
}
