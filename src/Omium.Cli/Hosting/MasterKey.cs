using System.Security.Cryptography;
using Omium.Embedded.Storage;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Cli.Hosting;

/// <summary>
/// The master key of a data directory. The store keeps a check of it: a start without the key, or with another, is refused, rather than to go on
/// with a key that opens nothing of what is there and seals what comes.
/// </summary>
internal static class MasterKey
{
    private static readonly DocumentKey CheckKey = new("", "master_key_check", "1");

    /// <summary>The key; made at the first start of an empty directory.</summary>
    /// <exception cref="InvalidDataException">The key is damaged, missing, or another than the data's.</exception>
    public static async Task<byte[]> OpenAsync(EmbeddedStore store, CancellationToken cancellation)
    {
        var path = DataFiles.MasterKeyPath(store.Directory);
        var check = (await store.Documents.GetAsync(CheckKey, cancellation))?.Content;
        var key = DataFiles.ReadMasterKey(store.Directory);
        if (key is null)
        {
            if (check is not null)
            {
                throw new InvalidDataException($"{path} is missing. Restore it from a backup: without it the data cannot be read. No other key was made.");
            }

            DataFiles.WriteMasterKey(store.Directory, key = Seal.NewKey());
        }

        var expected = HMACSHA256.HashData(key, "omium.master_key_check.v1"u8);
        if (check is null)
        {
            await store.Documents.PutAsync(CheckKey, expected, "", cancellation);
        }
        else if (!CryptographicOperations.FixedTimeEquals(check, expected))
        {
            throw new InvalidDataException($"{path} is not the key of this data. Restore the one that was there from a backup.");
        }

        return key;
    }
}
