// Lints the page's script as the browser gets it: the files of kg/exporters/page, joined.
import js from '@eslint/js';

const known = 'window document location history localStorage navigator matchMedia getComputedStyle performance requestAnimationFrame setTimeout clearTimeout URL URLSearchParams Blob Intl ResizeObserver vis'.split(' ');

export default [
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2023, sourceType: 'script', globals: Object.fromEntries(known.map((name) => [name, 'readonly'])) },
    rules: {
      eqeqeq: 'error', 'no-var': 'error', 'prefer-const': 'error', 'no-implied-eval': 'error', 'no-eval': 'error', 'no-new-func': 'error',
      'no-control-regex': 'off', // control characters are what is taken out of XML
      'no-restricted-properties': ['error', ...['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'write'].map((property) => ({ property, message: "names and sentences are other people's: add text nodes" }))],
    },
  },
];
