const longest = 63

/** `text` as a service name: 1 to 63 lower-case letters, digits and inner hyphens. Different texts may become one. */
export function slugOf(text: string): string {
  const slug = text
    .slice(0, 1_000)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
  return trimmed(slug) || 'unnamed'
}

/**
 * A name for each key, unlike every other and every one that is `taken`. Whoever is called just so keeps its name; the
 * others get a suffix that depends on nothing but their key, so that it stays when containers come and go.
 */
export function uniqueNames(
  wanted: readonly { readonly key: string; readonly text: string }[],
  taken: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const bySlug = Map.groupBy(wanted, ({ text }) => slugOf(text))
  const names = new Map<string, string>()
  const used = new Set(taken)
  const late: { key: string; slug: string }[] = []
  for (const [slug, same] of bySlug) {
    const owner = used.has(slug) ? undefined : (same.find(({ text }) => text === slug) ?? sole(same))
    for (const { key } of same) {
      if (key !== owner?.key) late.push({ key, slug })
      else {
        names.set(key, slug)
        used.add(slug)
      }
    }
  }
  for (const { key, slug } of late) {
    let name = `${trimmed(slug.slice(0, longest - 8))}-${hashOf(key)}`
    for (let turn = 2; used.has(name); turn++) name = `${trimmed(slug.slice(0, longest - 16))}-${hashOf(key)}-${turn}`
    names.set(key, name)
    used.add(name)
  }
  return names
}

function sole<T>(list: readonly T[]): T | undefined {
  return list.length === 1 ? list[0] : undefined
}

function trimmed(slug: string): string {
  return slug
    .slice(0, longest + 1)
    .replace(/^-/, '')
    .slice(0, longest)
    .replace(/-$/, '')
}

/** FNV-1a, 32 bits, as seven letters and digits: no secret depends on it. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(36).padStart(7, '0')
}
