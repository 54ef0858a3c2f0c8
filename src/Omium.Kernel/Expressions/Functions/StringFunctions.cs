using System.Text;

namespace Omium.Kernel.Expressions;

/// <summary>The strings extension, where positions count code points, and base64.</summary>
internal static class StringFunctions
{
    public static void AddTo(FunctionTable table)
    {
        table.Member("charAt", "string int -> string", CharAt);
        table.Member("indexOf", "string string -> int", call => IndexOf(call, 0));
        table.Member("indexOf", "string string int -> int", call => IndexOf(call, call.Int(2)));
        table.Member("lastIndexOf", "string string -> int", call => LastIndexOf(call, null));
        table.Member("lastIndexOf", "string string int -> int", call => LastIndexOf(call, call.Int(2)));
        table.Member("substring", "string int -> string", call => Substring(call, null));
        table.Member("substring", "string int int -> string", call => Substring(call, call.Int(2)));
        table.Member("replace", "string string string -> string", call => Replace(call, -1));
        table.Member("replace", "string string string int -> string", call => Replace(call, call.Int(3)));
        table.Member("split", "string string -> list", call => Split(call, -1));
        table.Member("split", "string string int -> list", call => Split(call, call.Int(2)));
        table.Member("join", "list -> string", call => Join(call, ""));
        table.Member("join", "list string -> string", call => Join(call, call.Text(1)));
        table.Member("lowerAscii", "string -> string", call => Map(call, text => MapAscii(text, 'A', 'Z', 'a' - 'A')));
        table.Member("upperAscii", "string -> string", call => Map(call, text => MapAscii(text, 'a', 'z', 'A' - 'a')));
        table.Member("trim", "string -> string", call => Map(call, Trim));
        table.Member("reverse", "string -> string", call => Map(call, Reverse));
        table.Global("base64.encode", "bytes -> string", Encode);
        table.Global("base64.decode", "string -> bytes", Decode);
        table.Global("strings.quote", "string -> string", call => Map(call, Quote));
    }

    private static CelValue Map(Call call, Func<string, string> map) =>
        call.Evaluation.BuildText(call.Text(0).Length, call.Offset) ?? (CelValue)new CelString(map(call.Text(0)));

    private static string MapAscii(string text, char first, char last, int shift) => string.Create(text.Length, (text, first, last, shift), (span, state) =>
    {
        for (int index = 0; index < span.Length; index++)
        {
            char character = state.text[index];
            span[index] = character >= state.first && character <= state.last ? (char)(character + state.shift) : character;
        }
    });

    // White space as Unicode defines it: U+0085 and U+00A0 count, the zero-width characters do not.
    private static string Trim(string text) => text.Trim();

    private static string Reverse(string text)
    {
        var reversed = new StringBuilder(text.Length);
        for (int position = text.Length; position > 0;)
        {
            int width = position > 1 && char.IsSurrogatePair(text[position - 2], text[position - 1]) ? 2 : 1;
            position -= width;
            reversed.Append(text, position, width);
        }

        return reversed.ToString();
    }

    private static string Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (char character in text)
        {
            int place = "\a\b\f\n\r\t\v\\\"".IndexOf(character, StringComparison.Ordinal);
            _ = place < 0 ? quoted.Append(character) : quoted.Append('\\').Append("abfnrtv\\\""[place]);
        }

        return quoted.Append('"').ToString();
    }

    private static CelValue Encode(Call call)
    {
        ReadOnlyMemory<byte> bytes = ((CelBytes)call.Arguments[0]).Value;
        return call.Evaluation.BuildText(bytes.Length * 4L / 3, call.Offset) ?? (CelValue)new CelString(Convert.ToBase64String(bytes.Span));
    }

    private static CelValue Decode(Call call)
    {
        // The padding may be left out.
        string text = call.Text(0).TrimEnd('=');
        string padded = text.PadRight((text.Length + 3) / 4 * 4, '=');
        var bytes = new byte[padded.Length / 4 * 3];
        return call.Evaluation.BuildText(padded.Length, call.Offset) ?? (Convert.TryFromBase64String(padded, bytes, out int length)
            ? new CelBytes(bytes.AsMemory(0, length)) : (CelValue)call.Fail("the text is no base64"));
    }

    private static CelValue CharAt(Call call)
    {
        string text = call.Text(0);
        if (call.Read(text.Length) is { } failure)
        {
            return failure;
        }

        int position = CelText.PositionOf(text, call.Int(1));
        return position < 0 ? call.Fail($"position {call.Int(1)} is outside the text")
            : position == text.Length ? CelString.Empty
            : new CelString(text.Substring(position, CelText.WidthAt(text, position)));
    }

    private static CelValue IndexOf(Call call, long start)
    {
        string text = call.Text(0);
        if (call.Read(text.Length) is { } failure)
        {
            return failure;
        }

        int position = CelText.PositionOf(text, start);
        if (position < 0)
        {
            return call.Fail($"position {start} is outside the text");
        }

        int found = text.IndexOf(call.Text(1), position, StringComparison.Ordinal);
        return CelInt.Of(found < 0 ? -1 : CelText.CountCodePoints(text.AsSpan(0, found)));
    }

    private static CelValue LastIndexOf(Call call, long? start)
    {
        string text = call.Text(0);
        if (call.Read(text.Length) is { } failure)
        {
            return failure;
        }

        int position = start is { } given ? CelText.PositionOf(text, given) : text.Length;
        if (position < 0)
        {
            return call.Fail($"position {start} is outside the text");
        }

        // The last match that begins at the position or before it.
        int end = (int)Math.Min(text.Length, (long)position + call.Text(1).Length);
        int found = text.AsSpan(0, end).LastIndexOf(call.Text(1));
        return CelInt.Of(found < 0 ? -1 : CelText.CountCodePoints(text.AsSpan(0, found)));
    }

    private static CelValue Substring(Call call, long? end)
    {
        string text = call.Text(0);
        int from = CelText.PositionOf(text, call.Int(1));
        int to = end is { } given ? CelText.PositionOf(text, given) : text.Length;
        return from < 0 || to < 0 ? call.Fail("a position is outside the text")
            : from > to ? call.Fail($"the start {call.Int(1)} is after the end {end}")
            : call.Evaluation.BuildText(text.Length, call.Offset) ?? (CelValue)new CelString(text[from..to]);
    }

    private static CelValue Replace(Call call, long limit)
    {
        (string text, string old, string replacement) = (call.Text(0), call.Text(1), call.Text(2));
        if (call.Evaluation.BuildText(text.Length, call.Offset) is { } failure)
        {
            return failure;
        }

        var result = new StringBuilder();
        int position = 0;
        for (long count = 0; limit < 0 || count < limit; count++)
        {
            // An empty text is found before every code point and at the end.
            bool isEmpty = old.Length == 0;
            int found = isEmpty ? position : text.IndexOf(old, position, StringComparison.Ordinal);
            if (found < 0)
            {
                break;
            }

            result.Append(text, position, found - position).Append(replacement);
            if (call.Evaluation.Build(result.Length, int.MaxValue, call.Offset) is { } tooLarge)
            {
                return tooLarge;
            }

            if (isEmpty && position >= text.Length)
            {
                return Finish(call, result);
            }

            int width = isEmpty ? CelText.WidthAt(text, position) : old.Length;
            if (isEmpty)
            {
                result.Append(text, position, width);
            }

            position = found + width;
        }

        return Finish(call, result.Append(text, position, text.Length - position));
    }

    private static CelValue Finish(Call call, StringBuilder text) =>
        call.Evaluation.BuildText(text.Length, call.Offset) ?? (CelValue)new CelString(text.ToString());

    private static CelValue Split(Call call, long limit)
    {
        (string text, string separator) = (call.Text(0), call.Text(1));
        var parts = new List<CelValue>();
        if (call.Evaluation.BuildText(text.Length, call.Offset) is { } failure)
        {
            return failure;
        }

        int position = 0;
        while (limit != 0)
        {
            if (!call.Evaluation.Spend(1))
            {
                return call.Evaluation.Exhausted(call.Offset);
            }

            int next = parts.Count + 1 == limit || position >= text.Length ? -1
                : separator.Length == 0 ? position + CelText.WidthAt(text, position)
                : text.IndexOf(separator, position, StringComparison.Ordinal);
            if (next < 0 || (separator.Length == 0 && next >= text.Length))
            {
                if (separator.Length > 0 || text.Length > 0)
                {
                    parts.Add(new CelString(text[position..]));
                }

                break;
            }

            parts.Add(new CelString(text[position..next]));
            position = next + separator.Length;
        }

        return parts.Count > call.Evaluation.ResultSizeMax
            ? call.Evaluation.BuildItems(parts.Count, call.Offset)! : CelList.Of(parts);
    }

    private static CelValue Join(Call call, string separator)
    {
        var list = (CelList)call.Arguments[0];
        var joined = new StringBuilder();
        for (int index = 0; index < list.Count; index++)
        {
            if (list[index] is not CelString text)
            {
                return Evaluation.FailType($"join needs a list of strings, not of {list[index].Type.Name}", call.Offset);
            }

            joined.Append(index == 0 ? "" : separator).Append(text.Value);
            if (call.Evaluation.Build(joined.Length, int.MaxValue, call.Offset) is { } failure)
            {
                return failure;
            }
        }

        return Finish(call, joined);
    }
}
