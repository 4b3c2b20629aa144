import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const hub = process.env.RINGSIDE_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // The server's policy forbids data: URLs for anything but pictures, and inline scripts altogether.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { input: { console: 'index.html', docs: 'docs/index.html' } },
  },
  server: {
    proxy: {
      '/api': hub,
      '/socket.io': { target: hub, ws: true },
    },
  },
});
