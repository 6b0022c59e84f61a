/// Where the rows of one group are while they are pulled back through a window.
struct GroupRegions: Sendable {
  /// How the numbers G_k(n, m) of a group stand in their region.
  enum Form: Sendable {
    /// (window, rows as they are laid out, units kept): for whoever reads rows, and where a panel would hold more zeros than numbers.
    case rows
    /// (panels, units kept, steps, 8): of each unit the left factor of its contraction over steps.
    case panels
  }

  let form: Form
  /// Whether the rows of a step are whole panels, of which the last may have rows of zeros.
  let isInWholePanels: Bool
  /// How far the numbers of one unit are from those of the next where G_k stands in panels.
  let apart: Int
  /// Λ, (rows as they are laid out, R): the rows with respect to r before the step reached.
  let states: Region
  /// G_k at index k − 1: the rows with respect to v_k of each step; empty where nobody reads it.
  let fields: [Region]
  /// Σ_m G_k(n, m) over the steps of the window at index k − 1, (panels, units kept, 8); empty where nobody reads it.
  let sums: [Region]
  /// The rows of the last layer, (rows as they are laid out, units kept), where they are not those of Λ times slopes and not in `fields`.
  let last: Region
  /// Two regions of (rows as they are laid out, n_k) in turn for the rows of hidden layers.
  let spare: [Region]
  /// Rows of a layer in panels.
  let panels: Region

  /// Lays out a group of at most `rows` rows; G_k is kept of the layers `read`, its sums of the layers `summed`.
  init(
    _ network: NetworkShape, _ recurrence: Recurrence, form: Form, rows: Int, window: Int,
    read: Set<Int>, summed: Set<Int>, isReduced: Bool, in layout: inout ScratchLayout
  ) {
    self.form = form
    // An odd number of lines, so that those of the same step of many units do not fall into one set of a cache.
    let (apart, isTooFar) = (window | 1).multipliedReportingOverflow(by: Panels.rows)
    self.apart = isTooFar ? .max : apart
    isInWholePanels = form == .panels || rows > StepProducts.singleRows
    let padded = isInWholePanels ? Panels.count(rows) * Panels.rows : rows
    func kept(_ k: Int) -> Int {
      RowSweep<Double>.kept(k, of: network, recurrence, isReduced: isReduced).count
    }
    let layers = 1...network.layers.count
    states = layout.add("rows", rows: padded, columns: recurrence.units)
    let (count, overflow) =
      form == .rows
      ? window.multipliedReportingOverflow(by: padded)
      : self.apart.multipliedReportingOverflow(by: Panels.count(rows))
    fields = layers.map { k in
      layout.add(
        "G\(k)", rows: !read.contains(k) ? 0 : overflow ? .max : count, columns: kept(k))
    }
    sums = layers.map { k in
      layout.add("sums\(k)", rows: summed.contains(k) ? padded : 0, columns: kept(k))
    }
    let hasLast = form == .panels || !read.contains(layers.upperBound)
    last = layout.add(
      "rows\(layers.upperBound)", rows: hasLast ? padded : 0, columns: kept(layers.upperBound))
    spare = (0...1).map { parity in
      let hidden = layers.dropLast().filter { $0 & 1 == parity }
      return layout.add(
        "spare", rows: padded, columns: hidden.reduce(0) { max($0, network.width($1)) })
    }
    panels = layout.add(
      "panels", rows: padded, columns: layers.reduce(0) { max($0, kept($1)) })
  }

  /// The rows of a step, where a group has so many, with those that fill its last panel.
  func rowsLaidOut(of count: Int) -> Int {
    isInWholePanels ? Panels.count(count) * Panels.rows : count
  }
}
