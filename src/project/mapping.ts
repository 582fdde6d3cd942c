/**
 * What one field of an entity is filled from. Fields that no map of a mapping names are not given by the source.
 * Source  Dynamics 365's data management: "mapping" of a data project, `EntityMap` of a package's manifest.
 */
export interface FieldMap {
  /** Name of the entity's field. */
  readonly field: string
  /** The source's name for it; null where it comes from elsewhere. */
  readonly source: string | null
  /** Text in place of an empty or missing one, as a source would write it. */
  readonly defaultValue?: string
  /** Texts of the source and what they become, found without regard to letter case; others stay as they are. */
  readonly conversions?: readonly Conversion[]
  /** Name of the number sequence that gives a value where the source gives none. */
  readonly numberSequence?: string
  /** An empty text leaves the target's value as it is, instead of emptying it. */
  readonly ignoreBlankValues?: boolean
  /** The field is in quotes even in a format without text qualifier. */
  readonly useTextQualifier?: boolean
}

/** A pair of a value conversion. */
export interface Conversion {
  readonly from: string
  readonly to: string
}
