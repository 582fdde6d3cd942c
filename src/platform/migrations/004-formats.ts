/** Source data formats that people have defined beside the built-in ones. */
export const formats = `
CREATE TABLE entrepot.source_data_format (
  name       text PRIMARY KEY,
  definition jsonb NOT NULL, -- a SourceFormat, checked when it was written
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX "a name means one format whatever its letter case" ON entrepot.source_data_format (lower(name));
`
