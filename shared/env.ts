/** Environment variables of a function. */
export type Env = Record<string, string | undefined>;

/** The value of an environment variable that Lambda or the stack sets. A missing one is a broken deployment. */
export const required = (env: Env, name: string): string => {
  const value = env[name];
  if (value === undefined || value === '') throw new Error(`environment variable ${name} is not set`);
  return value;
};

/** Reading an environment variable costs more than a look into a map, and none changes while a function lives. */
export const remembering = (find: (name: string) => string): ((name: string) => string) => {
  const found = new Map<string, string>();
  return (name) => {
    const known = found.get(name) ?? find(name);
    found.set(name, known);
    return known;
  };
};
