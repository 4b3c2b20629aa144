import { useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from '../api/client';
import { keys } from '../api/keys';
import type { Import, ImportPreview } from '../api/types';
import { usePolling } from '../app/hooks';
import { api, dispatcher } from '../app/services';

/** A preview needs no more of the file than this. */
const PREVIEW_BYTES = 256 * 1024;

/** Which field each column goes to; null leaves the column out. */
export type Mapping = Record<string, string | null>;
export type Duplicates = 'update' | 'skip';

/** openapi-fetch sends a FormData as it is, but types a multipart body as an object. */
function multipart(parts: Record<string, string | Blob | undefined>, filename: string): { file: string } {
  const form = new FormData();
  for (const [name, part] of Object.entries(parts)) {
    if (part instanceof Blob) form.append(name, part, filename);
    else if (part !== undefined) form.append(name, part);
  }
  return form as unknown as { file: string };
}

export function useImports() {
  return useQuery({
    queryKey: keys.imports(),
    queryFn: dispatcher.current(({ signal }) => unwrap(api.GET('/api/v1/imports', { signal }))),
    refetchInterval: usePolling(),
  });
}

export function isUnderway(one: Pick<Import, 'state'>): boolean {
  return one.state === 'queued' || one.state === 'running';
}

export function useImport(id: string) {
  return useQuery({
    queryKey: keys.import(id),
    queryFn: dispatcher.current(({ signal }) =>
      unwrap(api.GET('/api/v1/imports/{id}', { params: { path: { id } }, signal })),
    ),
    refetchInterval: usePolling(1000),
  });
}

/** How the server reads the file with a mapping; null lets it recognise the columns itself. */
export function usePreview(file: File, mapping: Mapping | null) {
  return useQuery({
    queryKey: ['import_preview', file.name, file.size, file.lastModified, mapping],
    queryFn: async ({ signal }) =>
      (await unwrap(
        api.POST('/api/v1/imports/preview', {
          body: multipart(
            {
              mapping: mapping ? JSON.stringify(mapping) : undefined,
              file: file.slice(0, PREVIEW_BYTES, file.type),
            },
            file.name,
          ),
          signal,
        }),
      )) as ImportPreview,
    placeholderData: (before) => before,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
}

export function useStartImport() {
  return useMutation({
    mutationFn: ({
      file,
      mapping,
      duplicates,
    }: {
      file: File;
      mapping: Mapping | null;
      duplicates: Duplicates;
    }) =>
      unwrap(
        api.POST('/api/v1/imports', {
          body: multipart(
            { duplicates, mapping: mapping ? JSON.stringify(mapping) : undefined, file },
            file.name,
          ),
        }),
      ),
  });
}

export function useUndoImport() {
  return useMutation({
    mutationFn: (id: string) => unwrap(api.POST('/api/v1/imports/{id}/undo', { params: { path: { id } } })),
    onSuccess: (one) => dispatcher.apply({ type: 'import.progressed', data: { import: one } }),
  });
}

/** Saves the rows that could not be imported, with their reasons. */
export function useDownloadFailures() {
  return useMutation({
    mutationFn: async (one: Import) => {
      const path = { id: one.id };
      const answer = api.GET('/api/v1/imports/{id}/failures', { params: { path }, parseAs: 'blob' });
      const url = URL.createObjectURL(await unwrap(answer));
      const anchor = document.createElement('a');
      anchor.href = url;
      anchor.download = `${one.filename.replace(/\.csv$/i, '')}-failures.csv`;
      anchor.click();
      URL.revokeObjectURL(url);
    },
  });
}
