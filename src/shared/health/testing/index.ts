export { contractCases, type CheckContract, type ContractCase, type Subject } from './check-contract.ts'
export { FakeClock } from './fake-clock.ts'
