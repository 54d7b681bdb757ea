import type { Size } from './layout.ts'

const HEIGHT = 62
const [NARROWEST, WIDEST] = [140, 248]
/** Padding, icon and gap of a node; see graph.css. */
const AROUND = 58

/** One size for all nodes: wide enough for the longest name, within reason; what is longer is cut with an ellipsis. */
export function nodeSize(names: readonly string[], family: string): Size {
  const context = document.createElement('canvas').getContext('2d')
  const widthOf = (font: string, text: string): number => {
    if (!context) return text.length * 8
    context.font = `${font} ${family}`
    return context.measureText(text).width
  }
  const widths = names.map((name) => Math.max(widthOf('620 14px', name), widthOf('400 11.5px', `due to ${name}`)))
  const longest = widths.reduce((most, width) => Math.max(most, width), 0)
  return { width: Math.min(WIDEST, Math.max(NARROWEST, Math.ceil(longest) + AROUND)), height: HEIGHT }
}
