const COLOURS = ['#1f77b4', '#d1495b', '#2e8b57', '#8a5cb8']
const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

/** Linear interpolation between the two nearest of the sorted `values`. */
export function quantile(values, q) {
  if (values.length === 0) return Number.NaN
  const position = (values.length - 1) * q
  const low = Math.floor(position)
  const high = Math.min(low + 1, values.length - 1)
  return values[low] + (values[high] - values[low]) * (position - low)
}

function niceStep(max) {
  const raw = max / 6
  const power = 10 ** Math.floor(Math.log10(raw))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= raw) ?? raw
}

/**
 * Cumulative shares as a step plot: what share of the runs was done by when, with each gate as a dashed line.
 *
 * @param {{ title: string, unit: string, series: { name: string, values: number[], gate?: number }[] }} plot
 * @returns {string} an SVG document
 */
export function ecdf({ title, unit, series }) {
  const [width, height, left, right, top, bottom] = [760, 320, 56, 20, 46, 44]
  const max = Math.max(...series.flatMap(({ values, gate }) => [...values, gate ?? 0])) * 1.06
  const x = (value) => left + (value / max) * (width - left - right)
  const y = (share) => top + (1 - share) * (height - top - bottom)
  const text = (at, px, py, anchor = 'middle', extra = '') =>
    `<text x="${px.toFixed(1)}" y="${py.toFixed(1)}" text-anchor="${anchor}" ${extra}>${escape(at)}</text>`
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#444">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(title, left, 22, 'start', 'font-size="14" fill="#111"'),
  ]
  const step = niceStep(max)
  for (let value = 0; value <= max; value += step) {
    parts.push(
      `<line x1="${x(value).toFixed(1)}" x2="${x(value).toFixed(1)}" y1="${top}" y2="${height - bottom}" stroke="#eee"/>`,
    )
    parts.push(text(String(Math.round(value)), x(value), height - bottom + 16))
  }
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    parts.push(`<line x1="${left}" x2="${width - right}" y1="${y(share)}" y2="${y(share)}" stroke="#eee"/>`)
    parts.push(text(`${share * 100} %`, left - 8, y(share) + 4, 'end'))
  }
  parts.push(text(unit, width - right, height - 8, 'end'))
  series.forEach(({ name, values, gate }, index) => {
    const colour = COLOURS[index % COLOURS.length]
    const sorted = [...values].sort((a, b) => a - b)
    let path = `M${x(0).toFixed(1)},${y(0).toFixed(1)}`
    sorted.forEach((value, i) => {
      path += `H${x(value).toFixed(1)}V${y((i + 1) / sorted.length).toFixed(1)}`
    })
    parts.push(`<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`)
    parts.push(text(name, left + 12 + index * 130, top - 8, 'start', `fill="${colour}" font-weight="600"`))
    if (gate === undefined) return
    const room = x(gate) < width - 110
    parts.push(
      `<line x1="${x(gate).toFixed(1)}" x2="${x(gate).toFixed(1)}" y1="${top}" y2="${height - bottom}" stroke="${colour}" stroke-dasharray="5 4"/>`,
    )
    parts.push(
      text(
        `gate ${gate}`,
        x(gate) + (room ? 5 : -5),
        height - bottom - 10 - index * 16,
        room ? 'start' : 'end',
        `fill="${colour}"`,
      ),
    )
  })
  parts.push('</svg>', '')
  return parts.join('\n')
}
