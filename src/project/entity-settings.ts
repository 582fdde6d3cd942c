import type { FieldMap } from './mapping'

/**
 * Where an entity stands in the order of its execution: units in parallel, levels of a unit one after another, within a
 * level by sequence, entities of one sequence number in parallel.
 * Source  Dynamics 365's data projects: execution unit, level in execution unit, sequence in level.
 */
export interface ExecutionOrder {
  readonly executionUnit: number
  readonly levelInExecutionUnit: number
  readonly sequenceInLevel: number
  /** Where the entity has errors, the following levels of its unit are not run. */
  readonly failLevelOnError: boolean
  /** Where the entity has errors, nothing that follows in its unit is run. */
  readonly failExecutionUnitOnError: boolean
}

/** What a project says of an entity's records, as an execution takes it over when it begins; what is left out has its default. */
export interface EntitySettings {
  /** What its package calls it, where that is none of our names: a label in another language. */
  readonly label?: string
  /** Left out: by name. */
  readonly mapping?: readonly FieldMap[]
  /** The target's records of the companies at hand are removed before the first one is promoted. */
  readonly truncateEntityData?: boolean
  /** false: the entity's own rules over whole records are not asked. */
  readonly runBusinessValidation?: boolean
  /** From so many records on, promotion is split over `taskCount` connections. */
  readonly importThreshold?: number
  readonly taskCount?: number
}
