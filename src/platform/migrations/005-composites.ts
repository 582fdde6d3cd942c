/** Composite entities: an execution of one has records of several entities, so that an error says whose record it is of. */
export const composites = `
ALTER TABLE entrepot.record_error ADD COLUMN entity text; -- null: the entity of its execution_entity
`
