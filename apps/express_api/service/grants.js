/** All that the database user of the service may do, by table: the migration grants it, and a task asks for it first. */
export const GRANTS = {
  clients: ["SELECT"],
  prescriptions: ["SELECT"],
  logins: ["INSERT"],
  login_attempts: ["SELECT", "INSERT", "UPDATE"],
};
