import Jacobians

/// How long activations and small products take.
enum RowTimes {
  static func run() {
    for width in [34, 68, 4096] {
      var rows = [Double](repeating: 0.3, count: width)
      var slopes = [Double](repeating: 0, count: width)
      let seconds = best(20) {
        for _ in 0..<1000 {
          var v = rows.mutableSpan
          var s = slopes.mutableSpan
          Activation.tanh.apply(to: &v, width: width, slopes: &s)
        }
      }
      print("tanh of \(width): \(round(seconds * 1e6, 1)) ns a call")
    }
  }
}
