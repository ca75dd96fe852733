-- Who has prescribed it; of what was issued before, nobody knows. The version that still runs names nobody either.
ALTER TABLE api.prescriptions
  ADD COLUMN prescriber text NOT NULL DEFAULT 'unknown' CHECK (char_length(prescriber) BETWEEN 1 AND 200);
