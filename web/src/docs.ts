/** The API's description to read and to try, at `/api/docs`. Asks nobody but our own server. */
import 'swagger-ui-dist/swagger-ui.css';
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';

SwaggerUI({
  url: '/api/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  validatorUrl: null,
  docExpansion: 'list',
  tagsSorter: 'alpha',
  queryConfigEnabled: false,
});
