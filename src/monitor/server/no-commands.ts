import { MedykError } from '@medyk/health/internal'
import type { AuditTrail, MonitorCommands } from './port.ts'

const refuse = async (): Promise<never> => {
  throw new MedykError('ERR_UNKNOWN_SERVICE', 'this server only reads')
}

/** For a server that only shows. */
export const noCommands: MonitorCommands = {
  maintain: refuse,
  endMaintenance: refuse,
  maintenance: () => [],
  restart: refuse,
  action: async () => null,
}

export const noAudit: AuditTrail = {
  record: refuse,
  refused: async () => {},
  read: async () => [],
}
