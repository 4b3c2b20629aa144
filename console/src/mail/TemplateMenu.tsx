import { Button, Menu, ScrollArea, Text } from '@mantine/core';
import { IconTemplate } from '@tabler/icons-react';
import type { Template, TemplatePreview } from '../api/types';
import { noteUse, preview, useTemplates } from '../templates/queries';
import { notifyFailure } from '../ui/notify';

type Props = {
  draftId: string;
  contactId: string | null;
  mailboxId: string;
  onPick: (rendered: TemplatePreview) => void;
};

/** Puts a template or snippet in, filled with the contact's values. What has no value is said, never sent. */
export function TemplateMenu({ draftId, contactId, mailboxId, onPick }: Props) {
  const templates = useTemplates().data?.data ?? [];
  const pick = async (template: Template) => {
    try {
      const rendered = await preview({
        subject: template.subject,
        html: template.html,
        contact_id: contactId,
        mailbox_id: mailboxId,
      });
      onPick(rendered);
      void noteUse(template.id, draftId);
      const [first] = rendered.problems;
      if (first) notifyFailure(`“${template.name}” has gaps`, new Error(first.message));
    } catch (error) {
      notifyFailure('The template could not be put in', error);
    }
  };
  return (
    <Menu position="bottom-start" width={280}>
      <Menu.Target>
        <Button
          size="compact-sm"
          variant="subtle"
          color="gray"
          leftSection={<IconTemplate size={15} aria-hidden />}
        >
          Templates
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <ScrollArea.Autosize mah={300}>
          {templates.map((template) => (
            <Menu.Item key={template.id} onClick={() => void pick(template)}>
              {template.name}
              <Text size="xs" className="muted truncate">
                {template.subject || (template.kind === 'snippet' ? 'Snippet' : 'No subject')}
              </Text>
            </Menu.Item>
          ))}
          {templates.length === 0 && (
            <Menu.Label>There are none yet. Write some in Settings, Templates.</Menu.Label>
          )}
        </ScrollArea.Autosize>
      </Menu.Dropdown>
    </Menu>
  );
}
