/** Puts the page into its place. */
import './app.css';
import './theme.svelte.ts';
import { mount } from 'svelte';
import App from './App.svelte';
import { session } from './session.svelte.ts';

void session.begin();
mount(App, { target: document.getElementById('page') as HTMLElement });
