CREATE TABLE api.clients (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  -- In lower case, composed, as the service looks it up.
  email text NOT NULL UNIQUE CHECK (char_length(email) <= 254),
  password_hash text NOT NULL
);

CREATE TABLE api.prescriptions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  client_id uuid NOT NULL REFERENCES api.clients,
  issued_on date NOT NULL,
  medicine text NOT NULL CHECK (char_length(medicine) BETWEEN 1 AND 200),
  directions text NOT NULL CHECK (char_length(directions) BETWEEN 1 AND 500),
  UNIQUE (client_id, issued_on, medicine)
);

-- The order of the pages.
CREATE INDEX prescriptions_of_client ON api.prescriptions (client_id, issued_on DESC, id DESC);
