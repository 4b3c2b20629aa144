import { Button, Text } from '@mantine/core';
import { IconTemplate } from '@tabler/icons-react';
import { useState } from 'react';
import type { Template } from '../api/types';
import { May } from '../app/May';
import classes from '../settings/Settings.module.css';
import { attempt, notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { useArchiveTemplate, useResults, useTemplates } from './queries';
import { TemplateEditor } from './TemplateEditor';

const percent = (part: number, of: number) => (of > 0 ? `${Math.round((part / of) * 100)} %` : '–');

function Results({ id }: { id: string }) {
  const total = useResults(id).data?.total;
  if (!total || total.sent === 0) return <>Not sent yet</>;
  return (
    <>
      {total.sent.toLocaleString()} sent · answered {percent(total.replied, total.delivered)}
      {total.opens_tracked > 0 && ` · opened ${percent(total.opened, total.opens_tracked)}`}
      {total.clicks_tracked > 0 && ` · clicked ${percent(total.clicked, total.clicks_tracked)}`} · bounced{' '}
      {percent(total.bounced, total.sent)}
    </>
  );
}

function Row({ template, onEdit }: { template: Template; onEdit: () => void }) {
  const archive = useArchiveTemplate();
  const remove = () =>
    attempt(archive.mutateAsync({ id: template.id, archived: true }), 'The template is still there', () =>
      notifyDone(`“${template.name}” is put away`),
    );
  return (
    <li className={classes.row}>
      <div className={classes.grow}>
        <Text fw={600}>
          {template.name} {template.kind === 'snippet' && <span className="muted">Snippet</span>}
        </Text>
        <Text size="xs" className="muted truncate">
          {template.subject || 'No subject'}
        </Text>
        <Text size="xs" className="muted">
          {template.shared ? 'Everybody’s' : 'Yours'} · version {template.version} ·{' '}
          <Results id={template.id} />
        </Text>
      </div>
      <Button size="compact-sm" variant="subtle" onClick={onEdit}>
        Change
      </Button>
      <Button
        size="compact-sm"
        variant="subtle"
        color="gray"
        loading={archive.isPending}
        aria-label={`Put ${template.name} away`}
        onClick={remove}
      >
        Put away
      </Button>
    </li>
  );
}

/** Templates and snippets, one's own and everybody's, with what came of them. */
export default function TemplatesPanel() {
  const query = useTemplates();
  const [editing, setEditing] = useState<string | null>(null);
  const templates = query.data?.data ?? [];
  const edited = templates.find((each) => each.id === editing);
  const create = (
    <May do="templates:write">
      <Button size="compact-sm" variant="default" onClick={() => setEditing('new')}>
        New template
      </Button>
    </May>
  );
  return (
    <Panel title="Templates" aside={create}>
      {query.isPending && <Loading />}
      {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
      {query.isSuccess && templates.length === 0 && (
        <Empty icon={<IconTemplate size={20} />} title="No templates yet" action={create}>
          Write once what you write often. A value that a contact does not have stops the mail, not the
          reader.
        </Empty>
      )}
      <ul className={classes.rows} aria-label="Templates">
        {templates.map((template) => (
          <Row key={template.id} template={template} onEdit={() => setEditing(template.id)} />
        ))}
      </ul>
      {(edited || editing === 'new') && (
        <TemplateEditor key={editing} template={edited ?? null} onClose={() => setEditing(null)} />
      )}
    </Panel>
  );
}
