using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Omium.Cli.Servers;

/// <summary>
/// A file of JSON lines. <see cref="Append"/> returns when the line is on the disk (fsync): what the file holds after a power cut is what
/// was counted. Without a path it keeps nothing.
/// </summary>
internal sealed class JsonLineLog : IDisposable
{
    private readonly FileStream? _file;
    private readonly Lock _gate = new();

    public JsonLineLog(string? path)
    {
        if (path is null)
        {
            return;
        }

        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory)
        {
            Directory.CreateDirectory(directory);
        }

        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        CutTornLine(_file);
    }

    /// <summary>Every whole line of the file so far.</summary>
    public IReadOnlyList<JsonObject> Read()
    {
        if (_file is null)
        {
            return [];
        }

        lock (_gate)
        {
            _file.Position = 0;
            using var reader = new StreamReader(_file, Encoding.UTF8, leaveOpen: true);
            var lines = new List<JsonObject>();
            while (reader.ReadLine() is { } line)
            {
                if (line.Length > 0 && JsonNode.Parse(line) is JsonObject record)
                {
                    lines.Add(record);
                }
            }

            _file.Position = _file.Length;
            return lines;
        }
    }

    /// <summary>Appends one line and waits for the disk.</summary>
    public void Append(JsonObject record)
    {
        if (_file is null)
        {
            return;
        }

        var line = JsonSerializer.SerializeToUtf8Bytes(record);
        lock (_gate)
        {
            _file.Write([.. line, (byte)'\n']);
            _file.Flush(flushToDisk: true);
        }
    }

    public void Dispose() => _file?.Dispose();

    /// <summary>A line without an end was being written when the process died: it was never answered, so it is not counted.</summary>
    private static void CutTornLine(FileStream file)
    {
        var end = file.Length;
        while (end > 0)
        {
            file.Position = end - 1;
            if (file.ReadByte() == '\n')
            {
                break;
            }

            end--;
        }

        file.SetLength(end);
        file.Position = end;
    }
}
