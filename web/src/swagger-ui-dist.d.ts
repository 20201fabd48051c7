declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  /** Shows a description of an API in an element of the page. */
  export default function SwaggerUI(options: Readonly<Record<string, unknown>>): unknown;
}
