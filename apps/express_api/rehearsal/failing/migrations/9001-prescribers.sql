-- Who has prescribed it. What was issued before is forgotten here, and has nobody.
ALTER TABLE api.prescriptions ADD COLUMN prescriber text CHECK (char_length(prescriber) BETWEEN 1 AND 200);
ALTER TABLE api.prescriptions ALTER COLUMN prescriber SET NOT NULL;
