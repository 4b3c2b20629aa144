import { ActionIcon, Button, Checkbox, SegmentedControl, Select, TextInput, Tooltip } from '@mantine/core';
import { IconChecklist, IconPhone, IconPhoneIncoming, IconTrash } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import type { Task } from '../api/types';
import { useMay, useMe } from '../app/hooks';
import { Age } from '../ui/Age';
import { attempt, notifyDone, notifyFailure } from '../ui/notify';
import { Page, PageBody, Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { dueWords, moment } from '../ui/time';
import { useCreateTask, useDeleteTask, useFinishTask, useTasks } from './queries';
import classes from './Tasks.module.css';

const KINDS: Record<Task['kind'], string> = {
  callback: 'Call back',
  missed_call: 'Missed call',
  call: 'Call',
  to_do: 'To do',
};

const SOON: { value: string; label: string; at: () => Date }[] = [
  { value: 'now', label: 'Now', at: () => new Date() },
  { value: 'hour', label: 'In an hour', at: () => new Date(Date.now() + 3_600_000) },
  { value: 'tomorrow', label: 'Tomorrow at 9', at: () => atNine(1) },
  { value: 'week', label: 'In a week', at: () => atNine(7) },
];

function atNine(days: number): Date {
  const at = new Date();
  at.setDate(at.getDate() + days);
  at.setHours(9, 0, 0, 0);
  return at;
}

function KindIcon({ kind }: { kind: Task['kind'] }) {
  if (kind === 'missed_call') return <IconPhoneIncoming size={17} stroke={1.7} aria-hidden />;
  if (kind === 'to_do') return <IconChecklist size={17} stroke={1.7} aria-hidden />;
  return <IconPhone size={17} stroke={1.7} aria-hidden />;
}

function Row({ task }: { task: Task }) {
  const finish = useFinishTask();
  const remove = useDeleteTask();
  const done = task.done_at !== null;
  const toggle = () =>
    finish.mutate(
      { id: task.id, done: !done },
      { onError: (error) => notifyFailure('The task could not be changed', error) },
    );
  return (
    <li className={classes.task} data-done={done || undefined}>
      <Checkbox
        aria-label={`Done: ${task.title}`}
        checked={done}
        onChange={toggle}
        disabled={finish.isPending}
      />
      <Tooltip label={KINDS[task.kind]}>
        <span className={classes.kind}>
          <KindIcon kind={task.kind} />
        </span>
      </Tooltip>
      <div className={classes.what}>
        <div className={classes.title}>{task.title}</div>
        <div className="muted truncate">
          {task.contact && <Link to={`/contacts/${task.contact.id}`}>{task.contact.name}</Link>}
          {task.contact && ' · '}
          {task.assignee ? task.assignee.name : 'Nobody yet'}
        </div>
      </div>
      <time
        dateTime={task.due_at}
        title={moment(task.due_at)}
        className={classes.due}
        data-late={(!done && Date.parse(task.due_at) < Date.now()) || undefined}
      >
        {done && task.done_at ? `Done ${dueWords(task.done_at)}` : dueWords(task.due_at)}
      </time>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={`Delete ${task.title}`}
        loading={remove.isPending}
        onClick={() => attempt(remove.mutateAsync(task.id), 'The task could not be deleted')}
      >
        <IconTrash size={16} stroke={1.7} />
      </ActionIcon>
    </li>
  );
}

function NewTask() {
  const create = useCreateTask();
  const [title, setTitle] = useState('');
  const [soon, setSoon] = useState('now');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const due = SOON.find((each) => each.value === soon)?.at() ?? new Date();
    const body = { title: title.trim(), due_at: due.toISOString() };
    attempt(create.mutateAsync(body), 'The task could not be added', () => {
      setTitle('');
      notifyDone('The task is on your list');
    });
  };
  return (
    <form className={classes.add} onSubmit={submit}>
      <TextInput
        aria-label="New task"
        placeholder="What is to be done"
        value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
      />
      <Select
        aria-label="Due"
        allowDeselect={false}
        data={SOON.map(({ value, label }) => ({ value, label }))}
        value={soon}
        onChange={(value) => setSoon(value ?? 'now')}
      />
      <Button type="submit" variant="default" disabled={!title.trim()} loading={create.isPending}>
        Add
      </Button>
    </form>
  );
}

/** What is still to do: mine, or everybody's; the ones due come first. */
export default function TasksPage() {
  const me = useMe();
  const may = useMay();
  const [params, setParams] = useSearchParams();
  const whose = params.get('whose') ?? 'mine';
  const done = params.get('show') === 'done';
  const query = useTasks({
    open: !done,
    limit: 200,
    ...(whose === 'mine' ? { assignee_id: me.user.id } : {}),
  });
  const set = (name: string, value: string | null) =>
    setParams((before) => {
      const next = new URLSearchParams(before);
      if (value) next.set(name, value);
      else next.delete(name);
      return next;
    });
  const tasks = query.data?.data ?? [];
  return (
    <Page
      title="Tasks"
      beside={<Age updatedAt={query.dataUpdatedAt} />}
      actions={
        <>
          <SegmentedControl
            aria-label="Whose tasks"
            data={[
              { value: 'mine', label: 'Mine' },
              { value: 'all', label: 'Everybody’s' },
            ]}
            value={whose}
            onChange={(value) => set('whose', value === 'mine' ? null : value)}
          />
          <SegmentedControl
            aria-label="Which tasks"
            data={[
              { value: 'open', label: 'Open' },
              { value: 'done', label: 'Done' },
            ]}
            value={done ? 'done' : 'open'}
            onChange={(value) => set('show', value === 'open' ? null : value)}
          />
        </>
      }
    >
      <PageBody>
        <Panel title={done ? 'Done' : 'To do'}>
          {!done && may('tasks:write') && <NewTask />}
          {query.isPending && <Loading />}
          {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
          {query.data && tasks.length === 0 && (
            <Empty icon={<IconChecklist size={20} />} title={done ? 'Nothing done yet' : 'Nothing to do'}>
              Missed calls and callbacks appear here by themselves.
            </Empty>
          )}
          <ul className={classes.list} aria-label="Tasks">
            {tasks.map((task) => (
              <Row key={task.id} task={task} />
            ))}
          </ul>
        </Panel>
      </PageBody>
    </Page>
  );
}
