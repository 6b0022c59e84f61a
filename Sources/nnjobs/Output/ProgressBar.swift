/// A bar of text that fills from left to right in eighths of a character.
enum ProgressBar {
  private static let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

  /// `██████▌   ` for 0.65 and 10 columns.
  static func text(_ fraction: Double, columns: Int) -> String {
    let filled = Int((min(1, max(0, fraction)) * Double(columns * 8)).rounded(.down))
    let text = String(repeating: "█", count: filled / 8) + eighths[filled % 8]
    return text + String(repeating: "·", count: columns - text.count)
  }

  /// `45 %`, never 100 before the end.
  static func percent(_ fraction: Double) -> String {
    "\(fraction >= 1 ? 100 : min(99, Int(max(0, fraction) * 100))) %"
  }
}
