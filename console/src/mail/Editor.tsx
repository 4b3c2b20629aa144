import '@mantine/tiptap/styles.css';
import { Link, RichTextEditor } from '@mantine/tiptap';
import { type Editor as Tiptap, useEditor } from '@tiptap/react';
import StarterKit from '@tiptap/starter-kit';
import { type ReactNode, useEffect } from 'react';

type Props = {
  html: string;
  label: string;
  autoFocus?: boolean;
  onChange: (html: string) => void;
  onSend: () => void;
  /** Gets the editor, to put templates in. */
  onReady?: (editor: Tiptap) => void;
  tools?: ReactNode;
};

/** Where a mail is written: plain marks, lists and links, which every reader shows. */
export function Editor({ html, label, autoFocus, onChange, onSend, onReady, tools }: Props) {
  const editor = useEditor({
    extensions: [StarterKit.configure({ link: false, codeBlock: false, heading: false }), Link],
    content: html,
    autofocus: autoFocus ? 'start' : false,
    editorProps: {
      attributes: { 'aria-label': label, role: 'textbox', 'aria-multiline': 'true' },
      handleKeyDown: (_view, event) => {
        if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return false;
        onSend();
        return true;
      },
    },
    onUpdate: ({ editor: changed }) => onChange(changed.getHTML()),
  });
  useEffect(() => {
    if (editor) onReady?.(editor);
  }, [editor, onReady]);
  return (
    <RichTextEditor editor={editor} variant="subtle">
      <RichTextEditor.Toolbar>
        <RichTextEditor.ControlsGroup>
          <RichTextEditor.Bold />
          <RichTextEditor.Italic />
          <RichTextEditor.Underline />
        </RichTextEditor.ControlsGroup>
        <RichTextEditor.ControlsGroup>
          <RichTextEditor.BulletList />
          <RichTextEditor.OrderedList />
          <RichTextEditor.Blockquote />
          <RichTextEditor.Link />
          <RichTextEditor.Unlink />
        </RichTextEditor.ControlsGroup>
        {tools}
      </RichTextEditor.Toolbar>
      <RichTextEditor.Content />
    </RichTextEditor>
  );
}
