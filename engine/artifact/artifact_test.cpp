// Artifacts written, read back, torn and forged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "engine/artifact/cpu.hpp"
#include "engine/artifact/reader.hpp"
#include "engine/artifact/sample_module.hpp"
#include "engine/artifact/writer.hpp"

namespace engine::artifact {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::byte> sample_file() {
  return write_artifact(sample_module(), sample_code(), sample_key()).value();
}

Header& header_of(std::vector<std::byte>& file) {
  return *reinterpret_cast<Header*>(file.data() + kHeaderOffset);
}

TEST(Artifact, IsReadBackAsItWasWritten) {
  const auto file = sample_file();
  const Artifact artifact = Artifact::parse(file).value();
  EXPECT_EQ(artifact.target_cpu(), "x86-64");
  EXPECT_EQ(artifact.compiler(), "sample 1.0");
  ASSERT_EQ(artifact.imports().size(), 1U);
  EXPECT_EQ(artifact.text(artifact.imports()[0].module), "env");
  EXPECT_EQ(artifact.text(artifact.imports()[0].name), "host");
  ASSERT_EQ(artifact.exports().size(), 4U);
  EXPECT_EQ(artifact.text(artifact.exports()[1].name), "memory");
  ASSERT_EQ(artifact.functions().size(), 3U);
  EXPECT_EQ(artifact.functions()[0].code.size, 0U);
  EXPECT_EQ(artifact.functions()[2].code.size, 2U);
  EXPECT_EQ(artifact.params(artifact.types()[0]).size(), 1U);
  EXPECT_EQ(artifact.results(artifact.types()[1]).size(), 0U);
  EXPECT_EQ(artifact.tables()[0].limits.max, 8U);
  const auto slots = artifact.item_slots(artifact.elements()[0]);
  EXPECT_EQ(std::vector(slots.begin(), slots.end()), (std::vector<std::uint32_t>{0, kNone, 1}));
  EXPECT_EQ(artifact.header().module_digest, sample_key().module_digest);
  EXPECT_EQ(artifact.header().key, digest_of(sample_key()));
}

TEST(Artifact, HoldsImageAndPassiveBytes) {
  const auto file = sample_file();
  const Artifact artifact = Artifact::parse(file).value();
  EXPECT_EQ(artifact.memories()[0].image_size, kPage);
  EXPECT_EQ(std::memcmp(artifact.part(Part::Image).data() + 8, "hello", 5), 0);
  ASSERT_EQ(artifact.data().size(), 1U);
  EXPECT_EQ(artifact.find_data(0), kNone);
  EXPECT_EQ(artifact.find_data(1), 0U);
  const auto world = artifact.bytes(artifact.data()[0]);
  ASSERT_EQ(world.size(), 5U);
  EXPECT_EQ(std::memcmp(world.data(), "world", 5), 0);
}

TEST(Artifact, KeepsTheDistanceOfRodata) {
  const auto file = sample_file();
  const Artifact artifact = Artifact::parse(file).value();
  EXPECT_EQ(artifact.part(Part::Text).data() + 8192, artifact.part(Part::Rodata).data());
  EXPECT_EQ(artifact.part(Part::Text).data()[sample_code().text.size()], std::byte{0xcc});
}

TEST(Artifact, FindsFunctionsNamesAndPositions) {
  const auto file = sample_file();
  const Artifact artifact = Artifact::parse(file).value();
  EXPECT_EQ(artifact.function_at(0), 1U);
  EXPECT_EQ(artifact.function_at(17), 2U);
  EXPECT_EQ(artifact.function_at(32), kNone);
  EXPECT_EQ(artifact.function_name(1), "run");
  EXPECT_EQ(artifact.function_name(2), "bad?name");
  EXPECT_EQ(artifact.function_name(0), "");
  EXPECT_EQ(artifact.module_offset(15), 0x100U);
  EXPECT_EQ(artifact.module_offset(16), 0x200U);
  EXPECT_EQ(artifact.module_offset(400), 0x201U);
}

TEST(Artifact, NamesInlinedFunctionsInnermostFirst) {
  const auto file = sample_file();
  const Artifact artifact = Artifact::parse(file).value();
  EXPECT_THAT(artifact.frames_at(16), ElementsAre(CodeFrame{2, 0x200}));
  EXPECT_THAT(artifact.frames_at(17),
              ElementsAre(CodeFrame{2, 0x201}, CodeFrame{1, 0x400}, CodeFrame{2, 0x300}));
  EXPECT_THAT(artifact.frames_at(18), IsEmpty());  // behind the function
  EXPECT_THAT(artifact.frames_at(40), IsEmpty());
}

TEST(Artifact, AnUnknownOriginIsNoOffset) {
  CompiledCode code = sample_code();
  code.positions[1].module_offset = 0;
  const auto file = write_artifact(sample_module(), code, sample_key()).value();
  EXPECT_THAT(Artifact::parse(file)->frames_at(16), ElementsAre(CodeFrame{2, kNone}));
}

TEST(Artifact, ASiteThatIsNoneEndsTheInlinedFunctions) {
  const std::vector<InlineSite> forged[] = {
      {},                                    // the entry's site is outside
      {{1, 0x300, kNoSite}, {0, 0x400, 0}},  // an import has no body
      {{1, 0x300, kNoSite}, {3, 0x400, 0}},
  };
  CompiledCode code = sample_code();
  for (const auto& sites : forged) {
    code.sites = sites;
    const auto file = write_artifact(sample_module(), code, sample_key()).value();
    EXPECT_THAT(Artifact::parse(file)->frames_at(17), ElementsAre(CodeFrame{2, 0x201}));
  }
  code.sites = {{1, 0x300, 1}, {2, 0x400, 1}};  // a circle
  const auto file = write_artifact(sample_module(), code, sample_key()).value();
  EXPECT_THAT(Artifact::parse(file)->frames_at(17),
              ElementsAre(CodeFrame{2, 0x201}, CodeFrame{2, 0x400}));
}

TEST(Artifact, TablesOfBacktracesHoldWholeRecords) {
  for (const Part part : {Part::Positions, Part::Inlined, Part::Sites}) {
    auto file = sample_file();
    header_of(file).parts[static_cast<std::size_t>(part)].size -= 4;
    EXPECT_FALSE(Artifact::parse(file));
  }
}

TEST(Artifact, NamesOfAForgedSymbolTableLieInside) {
  auto file = sample_file();
  const auto part = [&](Part which) {
    return header_of(file).parts[static_cast<std::size_t>(which)];
  };
  // All strings without an end: a name then ends with the table.
  std::memset(file.data() + part(Part::Strings).offset, 'x', part(Part::Strings).size);
  EXPECT_LE(Artifact::parse(file)->function_name(1).size(), part(Part::Strings).size);
  // Symbols whose names lie outside, and a function that has no symbol.
  std::memset(file.data() + part(Part::Symbols).offset, 0xff, part(Part::Symbols).size);
  EXPECT_EQ(Artifact::parse(file)->function_name(1), "");
  EXPECT_EQ(Artifact::parse(file)->function_name(4'000'000'000U), "");
}

TEST(Artifact, IsRefusedWhenTornAnywhere) {
  const auto file = sample_file();
  for (std::size_t size = 0; size < file.size(); ++size) {
    // A copy of exactly that size, so that a sanitizer sees a read beyond it.
    const std::vector<std::byte> torn(file.begin(),
                                      file.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_FALSE(Artifact::parse(torn)) << "torn at " << size;
  }
}

TEST(Artifact, SurvivesEveryFlippedByteOfHeaderAndMetadata) {
  auto file = sample_file();
  const std::size_t end = kMetadataOffset + Artifact::parse(file)->part(Part::Metadata).size();
  for (std::size_t at = 0; at < end; ++at) {
    const std::byte before = file[at];
    for (const int flip : {0xff, 0x80, 0x01}) {
      file[at] = before ^ static_cast<std::byte>(flip);
      const auto artifact = Artifact::parse(file);
      if (!artifact) continue;
      // What was accepted must be walkable.
      for (const auto& element : artifact->elements()) (void)artifact->item_slots(element);
      for (const auto& data : artifact->data()) (void)artifact->bytes(data);
      for (const auto& one : artifact->exports()) (void)artifact->text(one.name);
    }
    file[at] = before;
  }
}

TEST(Artifact, OfAnotherVersionIsUnsupported) {
  auto file = sample_file();
  header_of(file).abi_version += 1;
  const auto artifact = Artifact::parse(file);
  ASSERT_FALSE(artifact);
  EXPECT_EQ(artifact.error().kind(), base::ErrorKind::Unsupported);
}

TEST(Artifact, ForAnotherCpuIsRefusedByName) {
  auto file = sample_file();
  header_of(file).cpu_features |= std::uint64_t{1} << 63;
  const auto refused = check_cpu(Artifact::parse(file).value());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "artifact is for x86-64: this cpu lacks bit 63");
  header_of(file).cpu_features = host_features();
  EXPECT_TRUE(check_cpu(Artifact::parse(file).value()));
}

TEST(Artifact, PartsAreVerifiedByDigest) {
  auto file = sample_file();
  const Artifact artifact = Artifact::parse(file).value();
  EXPECT_TRUE(verify_part(artifact, Part::Text));
  EXPECT_TRUE(verify_part(artifact, Part::Metadata));
  file[artifact.header().parts[static_cast<std::size_t>(Part::Text)].offset] ^= std::byte{1};
  EXPECT_FALSE(verify_part(artifact, Part::Text));
  EXPECT_TRUE(verify_part(artifact, Part::Metadata));
}

TEST(Artifact, AuthenticationCoversTheHeaderButNotItself) {
  auto file = sample_file();
  const auto before = base::sha256(authenticated_bytes(file));
  set_authentication(file, base::sha256({}));
  EXPECT_EQ(base::sha256(authenticated_bytes(file)), before);
  EXPECT_EQ(authentication(file), base::sha256({}));
  header_of(file).parts.back().size += 1;
  EXPECT_NE(base::sha256(authenticated_bytes(file)), before);
}

TEST(ArtifactKey, ChangesWithEachOfItsInputs) {
  const ArtifactKey key = sample_key();
  ArtifactKey other = key;
  other.options += "x";
  EXPECT_NE(digest_of(key), digest_of(other));
  other = key;
  other.compiler += "x";
  EXPECT_NE(digest_of(key), digest_of(other));
  other = key;
  other.cpu_features = 1;
  EXPECT_NE(digest_of(key), digest_of(other));
}

TEST(WriteArtifact, RefusesCodeOfAnotherModule) {
  CompiledCode code = sample_code();
  code.functions.pop_back();
  EXPECT_FALSE(write_artifact(sample_module(), code, sample_key()));
  code = sample_code();
  code.functions[0].offset = 4096;
  EXPECT_FALSE(write_artifact(sample_module(), code, sample_key()));
}

TEST(Cpu, LevelsGrow) {
  const CpuFeatures v2 = features_of_level("x86-64-v2").value();
  const CpuFeatures v3 = features_of_level("x86-64-v3").value();
  EXPECT_EQ(features_of_level("x86-64").value(), 0U);
  EXPECT_EQ(v2 & v3, v2);
  EXPECT_NE(v2, v3);
  EXPECT_FALSE(features_of_level("pentium"));
  EXPECT_EQ(feature_names(v3 & ~v2 & ~features_of_level("x86-64-v2").value()).substr(0, 9),
            "avx, avx2");
}

}  // namespace
}  // namespace engine::artifact
