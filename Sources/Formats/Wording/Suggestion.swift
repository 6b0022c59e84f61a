/// What somebody meant who wrote a word that is not among the allowed ones.
package enum Suggestion {
  /// `did you mean "tanh"? allowed: identity, tanh, …`, the question only when one word is near.
  package static func remedy(for word: String, among allowed: [String]) -> String {
    let list = "allowed: " + Quotation.list(allowed)
    guard let nearest = nearest(to: word, among: allowed) else { return list }
    return "did you mean \(nearest.quoted)? " + list
  }

  /// The allowed word nearest to `word`, when no more than a third of it was mistyped.
  package static func nearest(to word: String, among allowed: [String]) -> String? {
    // Names in hostile files may be long and many; a suggestion is worth little time.
    guard word.utf8.count <= 60 else { return nil }
    let written = comparable(word)
    var best: (word: String, distance: Int)?
    for candidate in allowed.prefix(1000) where candidate.utf8.count <= 60 {
      let distance = distance(written, comparable(candidate))
      if distance <= max(1, candidate.utf8.count / 3), distance < best?.distance ?? .max {
        best = (candidate, distance)
      }
    }
    return best?.word
  }

  /// Lower case, and one separator for all: `Leaky_ReLU` means `leaky-relu`.
  private static func comparable(_ word: String) -> [UInt8] {
    word.lowercased().utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }
  }

  /// How many bytes are inserted, left out, replaced or swapped with their neighbour.
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var before: [Int] = []
    var previous = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var least = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          least = min(least, before[j - 1] + 1)
        }
        row.append(least)
      }
      before = previous
      previous = row
    }
    return previous[b.count]
  }
}
