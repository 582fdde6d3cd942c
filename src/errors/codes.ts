/** What a code means and what to do about it; the README's table is compared with this one. */
interface ErrorCodeMeaning {
  readonly means: string
  readonly hint: string
}

/**
 * All stable codes. `EF` file and format, `ER` record, `EP` promotion, `EA` access and doors, `ES` system.
 * A code never changes its meaning; a retired code is not used again.
 */
export const errorCodes = {
  EF101: { means: 'The file is empty.', hint: 'Send at least a header line or a root element.' },
  EF102: {
    means: 'No column of the header is a field of the entity.',
    hint: 'Check the entity name, the delimiter and that the first line is the header.',
  },
  EF103: { means: 'The header names a field twice.', hint: 'Remove or rename one of the two columns.' },
  EF104: { means: 'A key field has no column.', hint: 'Add the column: without it records cannot be told apart.' },
  EF105: {
    means: 'A quoted field is never closed.',
    hint: 'Close the quote, or double the quotes inside the field.',
  },
  EF106: {
    means: 'The bytes are not valid in the encoding of the file.',
    hint: 'Save the file as UTF-8, add a byte order mark, or set the encoding of the source data format.',
  },
  EF107: {
    means: 'A record is larger than the limit.',
    hint: 'Look for a missing quote or line end, or raise MAX_RECORD_BYTES.',
  },
  EF108: {
    means: 'The file has a column that the entity does not know, and the activity is strict.',
    hint: 'Remove the column or make the activity not strict.',
  },
  EF109: { means: 'The encoding is not known.', hint: 'Use utf-8, utf-16le, utf-16be or a windows-125x code page.' },
  EF110: {
    means: 'The file is of another format than expected.',
    hint: 'Send the declared format, or leave the format out to have it detected.',
  },
  EF111: { means: 'The file has a header but no records.', hint: 'Send at least one record.' },
  EF112: {
    means: 'The mapping of an entity is wrong.',
    hint: 'Correct the fields that the message names: see entrepot entity show',
  },
  EF113: {
    means: 'The file lacks columns that the mapping of its entity names.',
    hint: 'Add the columns to the file, or take them out of the mapping.',
  },
  EF201: { means: 'The XML is not well-formed.', hint: 'Correct the document at the given line and column.' },
  EF202: {
    means: 'The XML has a document type declaration.',
    hint: 'Remove the DOCTYPE: entities and external references are never read.',
  },
  EF203: { means: 'The XML is nested too deep or a name is too long.', hint: 'Send flat records.' },
  EF204: {
    means: 'No element of the XML is a record of the entity.',
    hint: 'Name the record elements after the entity, one level below the root element.',
  },
  EF205: {
    means: 'A composite entity is read from XML only.',
    hint: 'Send an XML file in which the elements of child records stand within that of their parent.',
  },
  EF301: {
    means: 'The file is no zip file, or it is damaged.',
    hint: 'Make the package again and send it whole: a zip file ends with its directory.',
  },
  EF302: {
    means: 'A file in the zip has a name that no safe file may have.',
    hint: 'Rename the file and make the package again.',
  },
  EF303: {
    means: 'The zip can be read in two ways, so that two readers would see different packages.',
    hint: 'Make the package again from the files alone, with an ordinary zip program.',
  },
  EF304: {
    means: 'The zip uses something that is not read: encryption, a rare compression, several disks, links.',
    hint: 'Zip plain files with the deflate method, without a password.',
  },
  EF305: {
    means: 'The zip is larger inside than the limit, or is made to swell.',
    hint: 'Split the package.',
  },
  EF306: {
    means: 'A file in the zip is a zip itself, or the zip is an Excel workbook.',
    hint: 'Put the data files themselves into the package; send Excel sheets as CSV.',
  },
  EF307: {
    means: 'A file in the zip is not what the directory of the zip says: its size or checksum is wrong.',
    hint: 'The package was damaged on its way: make it again and send it whole.',
  },
  EF311: {
    means: 'The package has no manifest.',
    hint: 'Put Manifest.xml into the root of the zip, not into a folder.',
  },
  EF312: {
    means: 'The manifest or the header of the package is not built as Dynamics 365 builds it.',
    hint: 'Correct the element that the message names.',
  },
  EF313: {
    means: 'The package is of another kind than data, such as a template.',
    hint: 'Export a data project, not a template, and send that package.',
  },
  EF314: {
    means: 'A value in the manifest or the header is not of the type of its element.',
    hint: 'Write whole numbers in digits, and switches as true or false.',
  },
  EF315: {
    means: 'The manifest names a file that is not in the zip, or all of its entities are disabled.',
    hint: 'Add the file, correct InputFilePath of the entity, or enable an entity.',
  },
  EF316: {
    means: 'The manifest names one file for two entities.',
    hint: 'Give each entity a file of its own.',
  },
  EF317: { means: 'The manifest lists an entity twice.', hint: 'Merge the two files, or send two packages.' },
  EF318: { means: 'The manifest lists no entity.', hint: 'Add the entities to the data project and export it again.' },
  EF319: { means: 'The package has several composite entities.', hint: 'Send a package for each of them.' },
  ER101: {
    means: 'The record has another number of fields than the header.',
    hint: 'Add the missing fields, or quote a field that holds the delimiter.',
  },
  ER102: { means: 'Text follows a closing quote.', hint: 'Double the quotes that are part of the value.' },
  ER103: { means: 'A quote stands inside an unquoted field.', hint: 'Quote the whole field and double the quote.' },
  ER104: { means: 'The value has a character that no text may hold.', hint: 'Remove the NUL character.' },
  ER105: { means: 'An element or attribute is given twice.', hint: 'Give each field once a record.' },
  ER106: { means: 'A field element holds other elements.', hint: 'Put only text into a field element.' },
  ER107: {
    means: 'Text stands between the field elements of a record.',
    hint: 'Put every value into the element of its field.',
  },
  ER108: {
    means: 'The element of a record stands in the wrong place of its document.',
    hint: 'Put it into the element of the record that it belongs to, with no other element between.',
  },
  ER109: {
    means: 'The record names another parent than the record that it stands in.',
    hint: 'Leave the field out: it is taken over from the parent. Or move the record to the parent that it names.',
  },
  ER201: { means: 'A mandatory field is empty.', hint: 'Give it a value.' },
  ER202: { means: 'The text is longer than the field.', hint: 'Shorten the text.' },
  ER203: { means: 'The value is no whole number in range.', hint: 'Write digits with an optional minus sign.' },
  ER204: {
    means: 'The value is no decimal number that fits.',
    hint: 'Write digits with a dot before the decimals and no grouping, or as the source data format says.',
  },
  ER205: { means: 'The value is neither true nor false.', hint: 'Write Yes or No, true or false, 1 or 0.' },
  ER206: { means: 'The value is no date.', hint: 'Write yyyy-MM-dd, or as the source data format says.' },
  ER207: {
    means: 'The value is no date and time.',
    hint: 'Write yyyy-MM-ddTHH:mm:ss, with Z or an offset, or as the source data format says.',
  },
  ER208: { means: 'The value is no GUID.', hint: 'Write 8-4-4-4-12 hexadecimal digits.' },
  ER209: { means: 'The value is no member of the enumeration.', hint: 'Use one of the names that the reason lists.' },
  ER210: { means: "The entity's own rule refuses the record.", hint: 'See the reason.' },
  ER301: {
    means: 'The record was corrected and waits to be promoted.',
    hint: 'Promote it with: entrepot retry',
  },
  EP101: { means: 'The related record does not exist.', hint: 'Import the related record first, then retry.' },
  EP102: {
    means: 'A later record of the same message has the same key.',
    hint: 'Nothing to do: the last record of a key wins.',
  },
  EP103: { means: 'The company does not exist.', hint: 'Import the legal entity first, or correct dataAreaId.' },
  EP104: {
    means: 'The record is new, and the file has no column for a mandatory field.',
    hint: 'Add the column, or import records that exist already.',
  },
  EP105: {
    means: 'The record has no company.',
    hint: 'Add a dataAreaId column, or name the company with the message or the activity.',
  },
  EP106: {
    means: 'Another record of the same document is in error, and a document is promoted as a whole.',
    hint: 'Correct the other record: it has its own reason.',
  },
  EP107: {
    means: 'An entity before it in its execution has errors, and its switches stop what follows.',
    hint: 'Correct the records in error, then: entrepot retry',
  },
  EP108: {
    means: 'A record of another document, or an earlier one of the same document, has the same key.',
    hint: 'Give the record a key of its own, or leave it out of one of the documents.',
  },
  EX101: {
    means: 'This version has no exports.',
    hint: 'Read the records of an entity from its target table until it has.',
  },
  EA101: { means: 'The activity is not known.', hint: 'Add it with: entrepot activity add' },
  EA102: { means: 'The entity is not known.', hint: 'See the known ones with: entrepot entity list' },
  EA103: {
    means: 'The idempotency key was used for other bytes.',
    hint: 'Use a new key for a new file.',
  },
  EA104: { means: 'The message is larger than the limit.', hint: 'Split the file, or raise MAX_MESSAGE_BYTES.' },
  EA105: {
    means: 'The activity or the data project does not have this entity.',
    hint: 'Add the entity to the activity or the data project, or name one that it has.',
  },
  EA106: {
    means: 'The request does not say which entity.',
    hint: 'Name it by its label or name: --entity on the command line, ?entity= in a URL.',
  },
  EA107: { means: 'The job of the inbound queue is malformed.', hint: 'Correct the property that the reason names.' },
  EA108: { means: 'What was asked for does not exist.', hint: 'Check the id.' },
  EA109: { means: 'The request is malformed.', hint: 'Correct the parameter that the message names.' },
  EA110: {
    means: 'The state does not allow this.',
    hint: 'Change what the message names first, or choose another name; entrepot status shows what runs.',
  },
  EA111: { means: 'The activity is disabled.', hint: 'Enable it with: entrepot activity enable' },
  EA112: { means: 'The file cannot be read.', hint: 'Check the path, and that you may read the file.' },
  EA113: {
    means: 'The file cannot be written.',
    hint: 'Name a file that is not there yet, in a folder that you may write to.',
  },
  EA114: {
    means: 'The request comes from another web site, or was sent to a name that is not ours.',
    hint: 'Send it from a program, or set PUBLIC_URL to the address that browsers use.',
  },
  EA115: {
    means: 'The source data format is not known.',
    hint: 'See the known ones with: entrepot format list',
  },
  EA116: {
    means: 'The data project exists, and the package may not overwrite it.',
    hint: 'Call with overwrite true, or name another project.',
  },
  EA117: {
    means: 'The id of the execution was used for another package.',
    hint: 'Use a new id for a new package, or leave it empty to have one made.',
  },
  EA118: {
    means: 'The data project is not known.',
    hint: 'See the known ones with: entrepot project list',
  },
  EA121: {
    means: 'The link to a file has a wrong signature, has expired, or does not allow this.',
    hint: 'Ask for a new link, and use it as it is.',
  },
  EA122: {
    means: 'The file behind a link is not, or no longer, as the request demands it.',
    hint: 'Look at its ETag, and send the request again if it still makes sense.',
  },
  EA130: {
    means: 'What this needs was removed by the clean-up.',
    hint: 'Send the file again. The settings …_RETENTION_DAYS say how long things are kept.',
  },
  ES101: { means: 'A setting is wrong.', hint: 'Correct the environment variables that the message lists.' },
  ES102: { means: 'The database cannot be reached or is not fit.', hint: 'Check DATABASE_URL and that Postgres runs.' },
  ES103: { means: 'Redis cannot be used.', hint: 'Check REDIS_URL; set maxmemory-policy to noeviction.' },
  ES104: {
    means: 'A table differs from its entity in a way that could lose data.',
    hint: 'Write a migration that makes the change, or take the change of the entity back.',
  },
  ES105: {
    means: 'The payload of the message is not there or was changed.',
    hint: 'Restore it, or send the message again.',
  },
  ES106: { means: 'The work was tried too often without progress.', hint: 'See the log, then: entrepot retry' },
  ES107: {
    means: 'The embedded Postgres does not start.',
    hint: 'See the log that the message names, or set DATABASE_URL.',
  },
  ES108: { means: 'An entity is declared wrongly.', hint: 'Correct the declaration in entities/.' },
  ES109: { means: 'The database was migrated by a newer Entrepot.', hint: 'Start the newer version.' },
  ES901: { means: 'Entrepot made a mistake.', hint: 'Report it with the log lines around it, then: entrepot retry' },
} as const satisfies Record<string, ErrorCodeMeaning>

export type ErrorCode = keyof typeof errorCodes
