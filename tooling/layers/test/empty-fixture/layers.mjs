export const layers = [["base"]];
export const pure = [];
export const nodeImports = {};
