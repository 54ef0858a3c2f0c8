using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Runtime.Payloads;

/// <summary>
/// Takes values apart for one append (<see cref="ComposedValue"/>): long texts become payloads of their own, arrays become lists that continue
/// the longest stored one. Guarantee: an array that extends one already stored costs its new items, in bytes stored; the time is that of
/// hashing the value, which naming it costs anyway.
/// </summary>
/// <param name="isKnown">Whether a key is known to be stored, from memory.</param>
/// <param name="isStored">The same, asked of the store.</param>
internal sealed class PayloadComposer(Func<string, bool> isKnown, Func<string, ValueTask<bool>> isStored)
{
    /// <summary>Texts and arrays of fewer canonical bytes stay where they are.</summary>
    public const int PieceBytesMin = 1_024;

    /// <summary>Larger values are stored as they are: no decision reads them, and taking them apart would hold them in memory several times.</summary>
    public const int ValueBytesMax = 16 * 1024 * 1024;

    private const int ItemsMax = 200_000;
    private readonly List<(string Key, byte[] Bytes)> _made = [];
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);

    /// <summary>What has to be stored, each once.</summary>
    public IReadOnlyList<(string Key, byte[] Bytes)> Made => _made;

    /// <summary>Adds a value under the SHA-256 of its canonical bytes.</summary>
    public async ValueTask AddAsync(string digest, byte[] canonical)
    {
        if (Has(digest))
        {
            return;
        }

        if (canonical.Length is < PieceBytesMin or > ValueBytesMax || canonical[0] == (byte)'"')
        {
            Make(digest, canonical);
            return;
        }

        var source = new Source(canonical);
        var pieces = new PieceWriter(source.Bytes, 0);
        await WalkAsync(source, source.Root, pieces);
        Make(digest, pieces.IsWhole ? canonical : pieces.End(canonical.Length));
    }

    private bool Has(string key) => _keys.Contains(key) || isKnown(key);

    private void Make(string key, byte[] bytes)
    {
        if (_keys.Add(key))
        {
            _made.Add((key, bytes));
        }
    }

    private async ValueTask WalkAsync(Source source, JsonElement value, PieceWriter pieces)
    {
        var (start, length) = source.Place(value);
        if (length < PieceBytesMin)
        {
            return; // It stays in the literal around it.
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                var digest = SHA256.HashData(source.Bytes.AsSpan(start, length));
                var key = Convert.ToHexStringLower(digest);
                if (!Has(key))
                {
                    Make(key, source.Bytes.AsSpan(start, length).ToArray());
                }

                pieces.Add(PieceKind.Value, digest, start, length);
                break;
            case JsonValueKind.Array when value.GetArrayLength() is > 0 and <= ItemsMax:
                pieces.Add(PieceKind.List, await AddListAsync(source, value), start, length);
                break;
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    await WalkAsync(source, member.Value, pieces);
                }

                break;
        }
    }

    /// <summary>Stores what is new of a list and answers its name.</summary>
    private async ValueTask<byte[]> AddListAsync(Source source, JsonElement array)
    {
        var items = array.EnumerateArray().ToArray();
        var names = NamesOf(source, items);
        var stored = await LongestStoredAsync(names);
        if (stored == items.Length)
        {
            return names[^1];
        }

        var first = source.Place(items[0]).Start;
        var continued = stored == 0 ? first : source.EndOf(items[stored - 1]);
        var node = new PieceWriter(source.Bytes, continued);
        if (stored > 0)
        {
            node.Continue(names[stored], continued - first);
        }

        for (var i = stored; i < items.Length; i++)
        {
            await WalkAsync(source, items[i], node);
        }

        Make(ComposedValue.ListKey(names[^1]), node.End(source.EndOf(items[^1])));
        return names[^1];
    }

    private static byte[][] NamesOf(Source source, JsonElement[] items)
    {
        var names = new byte[items.Length + 1][];
        names[0] = ComposedValue.EmptyList;
        using var chain = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < items.Length; i++)
        {
            var (start, length) = source.Place(items[i]);
            chain.AppendData(names[i]);
            chain.AppendData(source.Bytes.AsSpan(start, length));
            names[i + 1] = chain.GetHashAndReset();
        }

        return names;
    }

    /// <summary>
    /// How many of the first items are stored as a list. What this process has stored it knows; of what an earlier one stored, the ends nearest to
    /// the new one are asked for, in steps that double: a list that is missed is stored anew, which costs bytes and nothing else.
    /// </summary>
    private async ValueTask<int> LongestStoredAsync(byte[][] names)
    {
        for (var count = names.Length - 1; count > 0; count--)
        {
            if (Has(ComposedValue.ListKey(names[count])))
            {
                return count;
            }
        }

        for (var back = 0; back < names.Length - 1; back = Math.Max(1, back * 2))
        {
            var count = names.Length - 1 - back;
            if (await isStored(ComposedValue.ListKey(names[count])))
            {
                return count;
            }
        }

        return 0;
    }

    /// <summary>A canonical value, and where in its bytes each part of it stands.</summary>
    private sealed class Source(byte[] canonical)
    {
        public byte[] Bytes => canonical;

        public JsonElement Root { get; } = CanonicalJson.ParseTrusted(canonical);

        public (int Start, int Length) Place(JsonElement part)
        {
            var bytes = JsonMarshal.GetRawUtf8Value(part);
            ref var first = ref MemoryMarshal.GetReference(JsonMarshal.GetRawUtf8Value(Root));
            return ((int)Unsafe.ByteOffset(ref first, ref MemoryMarshal.GetReference(bytes)), bytes.Length);
        }

        public int EndOf(JsonElement part)
        {
            var (start, length) = Place(part);
            return start + length;
        }
    }

    /// <summary>Collects pieces over a range of bytes; what is no piece becomes a literal.</summary>
    private sealed class PieceWriter(byte[] source, int start)
    {
        private readonly ArrayBufferWriter<byte> _output = Begin();
        private int _from = start;

        /// <summary>True while nothing was set apart.</summary>
        public bool IsWhole => _output.WrittenCount == 1;

        public void Continue(byte[] previous, int length) => ComposedValue.Write(_output, PieceKind.Previous, length, previous);

        public void Add(PieceKind kind, byte[] name, int at, int length)
        {
            Literal(at);
            ComposedValue.Write(_output, kind, kind == PieceKind.List ? length - 2 : length, name);
            _from = at + length;
        }

        public byte[] End(int at)
        {
            Literal(at);
            return _output.WrittenSpan.ToArray();
        }

        private void Literal(int to)
        {
            if (to > _from)
            {
                ComposedValue.Write(_output, PieceKind.Literal, to - _from, source.AsSpan(_from, to - _from));
            }
        }

        private static ArrayBufferWriter<byte> Begin()
        {
            var output = new ArrayBufferWriter<byte>();
            output.Write([ComposedValue.Mark]);
            return output;
        }
    }
}
