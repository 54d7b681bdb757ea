// What an outer npm hands to its scripts and an npm started by such a script must not take for its own orders.
const NOT_OURS = /^npm_(lifecycle_.*|package_.*|command)$|^INIT_CWD$/i
const ORDERS =
  /^npm_config_(omit|include|production|only|workspace|workspaces|include_workspace_root|if_present|global|location|dry_run|package_lock|package_lock_only|save|local_prefix|ignore_scripts)$/i

/**
 * The environment for an npm that runs inside an npm script. Where packages come from (registry, proxy, cache, user
 * config) passes through; what the outer command was told to do does not.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function nestedNpm(env) {
  const kept = Object.entries(env).filter(([name]) => !NOT_OURS.test(name) && !ORDERS.test(name) && name !== 'NODE_ENV')
  return Object.fromEntries(kept)
}

/** The npm that started this script, under the Node it came with: the project's Node may be what is being installed. */
export function npmCommand(env = process.env) {
  const { npm_execpath: cli, npm_node_execpath: node } = env
  return cli?.endsWith('.js') && node ? [node, cli] : ['npm']
}
