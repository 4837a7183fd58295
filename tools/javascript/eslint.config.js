// How the scripts of the book and its explorers are linted: what is never used, never true, never meant, or hides another name.
import js from "@eslint/js";
import globals from "globals";

const MEANING = {
  "array-callback-return": "error",
  eqeqeq: "error",
  "no-constructor-return": "error",
  "no-else-return": "error",
  "no-eval": "error",
  "no-implicit-coercion": "error",
  "no-param-reassign": "error",
  "no-self-compare": "error",
  "no-shadow": "error",
  "no-template-curly-in-string": "error",
  "no-throw-literal": "error",
  "no-unmodified-loop-condition": "error",
  "no-unreachable-loop": "error",
  "no-use-before-define": ["error", { functions: false, classes: false, variables: false }],
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": ["error", { destructuring: "all" }],
  "prefer-promise-reject-errors": "error",
  "prefer-template": "error",
  radix: "error",
};

const SIZE = { "max-depth": ["error", 4], "max-lines": ["error", 250], "max-lines-per-function": ["error", { max: 60, IIFEs: true }] };

export default [
  { ignores: ["**/onnxruntime/**"] }, // bundled, from elsewhere
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: { ...MEANING, ...SIZE },
  },
  { files: ["book/_ext/static/sepbook_search.js"], languageOptions: { globals: { Search: "writable", Stemmer: "readonly" } } }, // Sphinx's
  { files: ["tests/**"], languageOptions: { globals: globals.node } },
];
