using Omium.Runtime.Ports;

namespace Omium.Runtime.Payloads;

/// <summary>
/// Reads payloads whole, from whatever pieces they are stored as (<see cref="ComposedValue"/>). It checks lengths, not digests: who must be sure
/// (the verifier) hashes what it is given, which is the value and not the way it is stored.
/// </summary>
/// <param name="stream">The execution.</param>
/// <param name="open">The plain bytes stored under a key, or null.</param>
/// <param name="cache">What was read lately.</param>
internal sealed class PayloadReader(StreamId stream, Func<string, ValueTask<byte[]?>> open, PayloadCache cache)
{
    /// <summary>The canonical bytes of a value; null when there is none under this key.</summary>
    /// <exception cref="InvalidDataException">A piece is missing or damaged.</exception>
    public async ValueTask<byte[]?> ReadAsync(string key)
    {
        if (cache.TryGet(stream, key) is { } known)
        {
            return known;
        }

        if (await open(key) is not { } stored)
        {
            return null;
        }

        var value = PackedBytes.Unpack(stored);
        if (ComposedValue.IsComposed(value))
        {
            var pieces = ComposedValue.Read(value);
            var whole = new byte[pieces.Sum(LengthOf)];
            await FillAsync(whole, 0, pieces);
            value = whole;
        }

        cache.Add(stream, key, value);
        return value;
    }

    private static int LengthOf(Piece piece) => piece.Kind == PieceKind.List ? piece.Length + 2 : piece.Length;

    private async ValueTask FillAsync(byte[] whole, int at, IEnumerable<Piece> pieces)
    {
        foreach (var piece in pieces)
        {
            switch (piece.Kind)
            {
                case PieceKind.Literal:
                    piece.Bytes.CopyTo(whole.AsMemory(at));
                    break;
                case PieceKind.Value:
                    var value = await ReadAsync(piece.Key) ?? throw Missing(piece);
                    (value.Length == piece.Length ? value : throw Missing(piece)).CopyTo(whole, at);
                    break;
                default:
                    whole[at] = (byte)'[';
                    await FillListAsync(whole, at + 1, piece);
                    whole[at + 1 + piece.Length] = (byte)']';
                    break;
            }

            at += LengthOf(piece);
        }
    }

    /// <summary>From the newest node back to the first, each in its place: a list of any length needs no recursion.</summary>
    private async ValueTask FillListAsync(byte[] whole, int at, Piece list)
    {
        var (node, length) = (list, list.Length);
        while (true)
        {
            if (cache.TryGet(stream, node.Key) is { } known && known.Length == length)
            {
                known.CopyTo(whole, at);
                break;
            }

            var pieces = ComposedValue.Read(PackedBytes.Unpack(await open(node.Key) ?? throw Missing(node)));
            var previous = pieces.Count > 0 && pieces[0].Kind == PieceKind.Previous ? pieces[0] : default(Piece?);
            if (pieces.Sum(LengthOf) != length)
            {
                throw Missing(node);
            }

            await FillAsync(whole, at + (previous?.Length ?? 0), previous is null ? pieces : pieces.Skip(1));
            if (previous is not { } before)
            {
                break;
            }

            (node, length) = (before, before.Length);
        }

        cache.Add(stream, list.Key, whole.AsSpan(at, list.Length).ToArray());
    }

    private static InvalidDataException Missing(Piece piece) => new($"a payload refers to {piece.Key}, which is missing or has another length");
}
