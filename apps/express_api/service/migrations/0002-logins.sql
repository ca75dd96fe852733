-- Each token that was given out; its id is the token's `jti`.
CREATE TABLE api.logins (
  id uuid PRIMARY KEY,
  client_id uuid NOT NULL REFERENCES api.clients,
  logged_in_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);

CREATE INDEX logins_of_client ON api.logins (client_id, logged_in_at DESC);

CREATE TABLE api.login_attempts (
  kind text NOT NULL CHECK (kind IN ('account', 'address')),
  bucket integer NOT NULL,
  began timestamptz NOT NULL,
  count integer NOT NULL,
  PRIMARY KEY (kind, bucket)
);
