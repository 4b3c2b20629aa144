import { Alert, Button, Group, Select, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { inWords } from '../api/errors';
import type { ImportPreview } from '../api/types';
import { readable } from '../contacts/naming';
import { notifyFailure } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Loading } from '../ui/States';
import classes from './Imports.module.css';
import { type Duplicates, type Mapping, usePreview, useStartImport } from './queries';

const POLICIES = [
  { value: 'update', label: 'Update the known contact' },
  { value: 'skip', label: 'Skip the row' },
];

const DELIMITERS: Record<string, string> = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'bar' };

type ColumnsProps = { preview: ImportPreview; onChange: (mapping: Mapping) => void };

function Columns({ preview, onChange }: ColumnsProps) {
  const fields = preview.fields.map((each) => ({ value: each.field, label: each.label }));
  const mapping = Object.fromEntries(preview.columns.map((column) => [column.name, column.field]));
  return (
    <div className={classes.wide}>
      <table className={classes.columns}>
        <thead>
          <tr>
            <th>Column in the file</th>
            <th>Goes to</th>
            <th className={classes.hideOnPhone}>For example</th>
          </tr>
        </thead>
        <tbody>
          {preview.columns.map((column) => (
            <tr key={column.name}>
              <td style={{ fontWeight: 600 }}>{column.name}</td>
              <td>
                <Select
                  size="xs"
                  w={{ base: 190, sm: 250 }}
                  aria-label={`Field for ${column.name}`}
                  placeholder="Kept as a custom field"
                  searchable
                  clearable
                  data={fields}
                  value={column.field}
                  onChange={(field) => onChange({ ...mapping, [column.name]: field })}
                />
              </td>
              <td className={`muted truncate ${classes.hideOnPhone}`}>{column.samples.join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Rows({ rows }: { rows: ImportPreview['rows'] }) {
  return (
    <div className={classes.wide}>
      <table className={classes.columns}>
        <thead>
          <tr>
            <th className={classes.number}>Line</th>
            <th>Name</th>
            <th>Company</th>
            <th>Phones</th>
            <th>Emails</th>
            <th>Problems</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ line, contact, problems, fails }) => (
            <tr key={line}>
              <td className={`${classes.number} muted`}>{line}</td>
              <td className="truncate">
                {[contact.first_name, contact.last_name].filter(Boolean).join(' ')}
              </td>
              <td className="truncate">{contact.company}</td>
              <td className="tabular truncate">
                {contact.phones?.map((phone) => readable(phone.e164)).join(', ')}
              </td>
              <td className="truncate">{contact.emails?.map((email) => email.address).join(', ')}</td>
              <td className={classes.problems} style={{ color: fails ? 'var(--rs-bad)' : 'var(--rs-warn)' }}>
                {fails && 'Not imported: '}
                {problems.join(' ')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** How the file will be read, and the start of the import. */
export function Mapper({ file, onOther }: { file: File; onOther: () => void }) {
  const navigate = useNavigate();
  const [mapping, setMapping] = useState<Mapping | null>(null);
  const [duplicates, setDuplicates] = useState<Duplicates>('update');
  const query = usePreview(file, mapping);
  const start = useStartImport();
  const preview = query.data;

  const run = () =>
    start.mutate(
      { file, mapping, duplicates },
      {
        onSuccess: ({ id }) => navigate(`/imports/${id}`),
        onError: (error) => notifyFailure('The import could not be started', error),
      },
    );

  if (query.isError) {
    return (
      <Alert color="red" role="alert" title={`${file.name} cannot be read`}>
        <Stack gap="sm" align="flex-start">
          {inWords(query.error)}
          <Button variant="default" size="compact-sm" onClick={onOther}>
            Choose another file
          </Button>
        </Stack>
      </Alert>
    );
  }
  if (!preview) return <Loading rows={8} />;
  const how = `${preview.encoding}, separated by ${DELIMITERS[preview.delimiter] ?? preview.delimiter}`;
  const mapped = preview.columns.filter((column) => column.field).length;
  return (
    <Stack gap="md">
      <Panel
        title={file.name}
        aside={
          <Text size="xs" className="muted">
            {how}
          </Text>
        }
      >
        <div className={classes.mapping}>
          <Columns preview={preview} onChange={setMapping} />
        </div>
      </Panel>
      <Panel
        title="Preview"
        aside={
          <Text size="xs" className="muted" role="status">
            {query.isFetching ? 'Reading…' : `First ${preview.rows.length} rows`}
          </Text>
        }
      >
        <Rows rows={preview.rows} />
      </Panel>
      <div className={classes.foot}>
        <Select
          label="When the email or phone is already known"
          data={POLICIES}
          allowDeselect={false}
          w={{ base: '100%', sm: 360 }}
          value={duplicates}
          onChange={(value) => setDuplicates((value ?? 'update') as Duplicates)}
        />
        <Group gap="xs">
          <Button variant="default" onClick={onOther}>
            Choose another file
          </Button>
          <Button onClick={run} loading={start.isPending} disabled={mapped === 0}>
            Start import
          </Button>
        </Group>
      </div>
    </Stack>
  );
}
