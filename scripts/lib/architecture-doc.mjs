/** @typedef {import('../../test/architecture/imports.table.ts').Room} Room */

const id = (name) => name.replaceAll(/\W/g, '_')
const code = (names) => (names?.length ? names.map((name) => `\`${name}\``).join(', ') : '')

/** Edges of `rooms` that no longer way implies; drawing every edge would hide the order in it. */
function essentialEdges(rooms) {
  const below = (name) => rooms[name].imports
  const reach = new Map()
  const reachOf = (name) => {
    if (!reach.has(name)) reach.set(name, new Set(below(name).flatMap((other) => [other, ...reachOf(other)])))
    return reach.get(name)
  }
  return Object.keys(rooms).flatMap((name) =>
    below(name)
      .filter((other) => !below(name).some((between) => between !== other && reachOf(between).has(other)))
      .map((other) => [name, other]),
  )
}

function graph(rooms) {
  const names = Object.keys(rooms)
  const group = (title, belongs) => [
    `  subgraph ${id(title)}["${title}"]`,
    ...names
      .filter((name) => belongs(rooms[name].path))
      .map((name) => `    ${id(name)}["${name}"]${rooms[name].pure ? ':::pure' : ''}`),
    '  end',
  ]
  const solid = essentialEdges(rooms).map(([from, to]) => `  ${id(from)} --> ${id(to)}`)
  const dotted = names.flatMap((name) =>
    (rooms[name].types ?? []).map((other) => `  ${id(name)} -. types .-> ${id(other)}`),
  )
  return [
    '```mermaid',
    'flowchart BT',
    ...group('@medyk/health', (path) => path.startsWith('src/shared/')),
    ...group('medyk', (path) => path.startsWith('src/monitor/')),
    ...group('examples', (path) => path.startsWith('examples/')),
    ...solid,
    ...dotted,
    '  classDef pure stroke-width:3px',
    '```',
  ].join('\n')
}

const marks = (room) =>
  [room.pure && 'pure', room.browser && 'browser', room.development && 'development only'].filter(Boolean).join(', ')

function table(rooms) {
  const rows = Object.entries(rooms).map(([name, room]) => {
    const cells = [
      `\`${name}\``,
      `\`${room.path}\``,
      room.purpose,
      marks(room),
      code(room.imports),
      code(room.types),
      code(room.packages),
    ]
    return `| ${cells.join(' | ')} |`
  })
  return [
    '| Room | Path | Purpose | Kind | May import | Types only of | npm packages |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

/**
 * The text of `docs/architecture.md`.
 *
 * @param {Readonly<Record<string, Room>>} rooms
 * @param {readonly string[]} libraryDependencies
 */
export const architectureDoc = (
  rooms,
  libraryDependencies,
) => `<!-- Written by "npm run generate" from test/architecture/imports.table.ts: change that, not this. -->

# Architecture

Medyk is two things in one repository. \`@medyk/health\` is a library that a service imports; \`medyk\` is a daemon with a
CLI and a dashboard that watches services, finds the cause of an illness and cures it. They share no code but the
library's internals, and a service that imports the library never installs a part of the daemon.

## The way of data

Data goes one way, and the folders of \`src/monitor\` stand in that order.

\`\`\`mermaid
flowchart LR
  subgraph shard["worker shard: samples stay here"]
    probing -- observations --> detection
  end
  subgraph loop["main thread: one ordered loop, transitions only"]
    diagnosis -- incidents --> recovery
    recovery -- what was done --> alerting
  end
  discovery -- services --> probing
  detection -- verdicts --> diagnosis
  runtimes -- started, exited --> diagnosis
  recovery -- actions --> runtimes
  recovery -- intent, outcome --> journal
\`\`\`

- **Discovery** says which services exist. **Probing** looks at each instance once a second or so and yields
  observations. **Detection** judges them and publishes a verdict only when something changed.
- Verdicts enter one ordered loop on the main thread: \`reduce(state, event, now) → { state, events, effects }\`.
  **Diagnosis** gives every verdict a cause with the help of the dependency graph and opens incidents. **Recovery**
  decides what may be done about the root, within its budget. Each step sees what the steps before it concluded.
- An effect is carried out outside the loop and comes back as an event. Before an action its intent is in the
  **journal**, afterwards its outcome; a daemon that was killed in between knows what it was about to do.
- Runtimes report starts and exits into the same loop: a fresh start resets detection. Commands of an operator are
  events too.

Rooms marked *pure* are functions of their arguments: no clock, no randomness, no Node. That is why \`simulation\` can run
the same code through thousands of service-hours in seconds, and why a recorded trace replays to the same decisions.

## Who may import whom

An arrow means "may import"; what a longer way implies is not drawn. A thick border marks a pure room.

${graph(rooms)}

The rule in full. A file belongs to the room with the longest path that fits it. Tests may import anything within their
own package. \`test/architecture\` reads the syntax tree of every source and fails on an import that is not in this table, on a
package that the workspace's manifest does not declare, and on files that load one another in a circle.

${table(rooms)}

A service that installs \`@medyk/health\` gets ${code(libraryDependencies)} with it and nothing else.
`
