import { Button, Menu, Modal, SegmentedControl, Select, Switch, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconBraces } from '@tabler/icons-react';
import type { Editor as Tiptap } from '@tiptap/react';
import { type FormEvent, useRef, useState } from 'react';
import type { Template } from '../api/types';
import { fullName } from '../contacts/naming';
import { useSearch } from '../contacts/queries';
import { Editor } from '../mail/Editor';
import { FormFoot } from '../ui/FormFoot';
import { usePreview, useSaveTemplate, useVariables } from './queries';
import classes from './Templates.module.css';

function Preview({ subject, html }: { subject: string; html: string }) {
  const [typed, setTyped] = useState('');
  const [settled] = useDebouncedValue(typed.trim(), 150);
  const [contact, setContact] = useState<string | null>(null);
  const [text] = useDebouncedValue({ subject, html }, 300);
  const found = useSearch(settled, 8).data?.data ?? [];
  const preview = usePreview({ ...text, contact_id: contact }).data;
  return (
    <section className={classes.preview} aria-label="Preview">
      <Select
        label="As it goes to"
        placeholder="Type a contact’s name"
        searchable
        clearable
        filter={({ options }) => options}
        data={found.map((each) => ({ value: each.id, label: fullName(each) }))}
        value={contact}
        onSearchChange={setTyped}
        onChange={setContact}
      />
      {preview && (
        <>
          <Text fw={600}>{preview.subject || 'No subject'}</Text>
          <Text className={classes.text}>{preview.text}</Text>
          {preview.problems.length > 0 && (
            <ul className={classes.problems} aria-label="What would stop it">
              {preview.problems.map((each) => (
                <li key={`${each.variable} ${each.message}`}>{each.message}</li>
              ))}
            </ul>
          )}
        </>
      )}
    </section>
  );
}

/** A template's text, its variables, and how a real contact would get it. */
export function TemplateEditor({ template, onClose }: { template: Template | null; onClose: () => void }) {
  const save = useSaveTemplate();
  const variables = useVariables().data?.data ?? [];
  const [kind, setKind] = useState(template?.kind ?? 'template');
  const [name, setName] = useState(template?.name ?? '');
  const [shared, setShared] = useState(template?.shared ?? false);
  const [subject, setSubject] = useState(template?.subject ?? '');
  const [html, setHtml] = useState(template?.html ?? '');
  const editor = useRef<Tiptap | null>(null);
  const write = () =>
    save.mutate(
      {
        ...(template ? { id: template.id } : {}),
        kind,
        name: name.trim(),
        folder: '',
        shared,
        subject,
        html,
      },
      { onSuccess: onClose },
    );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    write();
  };
  const variableMenu = (
    <Menu>
      <Menu.Target>
        <Button
          size="compact-sm"
          variant="subtle"
          color="gray"
          leftSection={<IconBraces size={15} aria-hidden />}
        >
          Values
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={320} style={{ overflowY: 'auto' }}>
        {variables.map((each) => (
          <Menu.Item
            key={each.name}
            onClick={() => editor.current?.chain().focus().insertContent(`{{ ${each.name} }}`).run()}
          >
            {each.title}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
  return (
    <Modal opened onClose={onClose} size="xl" title={template ? template.name : 'New template'}>
      <form onSubmit={submit} style={{ display: 'grid', gap: 14 }}>
        {!template && (
          <SegmentedControl
            aria-label="Kind"
            data={[
              { value: 'template', label: 'A whole mail' },
              { value: 'snippet', label: 'A piece to put in' },
            ]}
            value={kind}
            onChange={(value) => setKind(value as 'template')}
          />
        )}
        <TextInput
          label="Name"
          required
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {kind === 'template' && (
          <TextInput
            label="Subject"
            placeholder={'A question, {{ contact.first_name | default: "and hello" }}'}
            value={subject}
            onChange={(event) => setSubject(event.currentTarget.value)}
          />
        )}
        <Editor
          label="Text"
          html={html}
          onChange={setHtml}
          onSend={write}
          onReady={(ready) => {
            editor.current = ready;
          }}
          tools={variableMenu}
        />
        <Switch
          label="Everybody may use and change it"
          checked={shared}
          onChange={(event) => setShared(event.currentTarget.checked)}
        />
        <Preview subject={subject} html={html} />
        <FormFoot error={save.error} onCancel={onClose}>
          <Button type="submit" disabled={!name.trim()} loading={save.isPending}>
            {template ? 'Save as the next version' : 'Save'}
          </Button>
        </FormFoot>
      </form>
    </Modal>
  );
}
